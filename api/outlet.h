/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet.h - the way of a log line out of the sandbox. qvm-api; part of struct api.
 *
 * The journal's socket cannot be seen from the empty root, so it is connected before and kept;
 * without one, lines go to stderr, which is the supervisor's. A client can make us log, so lines go
 * through a bucket.
 */
#pragma once

#include <stdint.h>

#include "base/log.h"

enum { OUTLET_LINES = 40, OUTLET_WINDOW_MS = 5000 };

struct outlet {
	int socket; /* -1 = stderr */
	uint64_t window_ms;
	unsigned n, n_dropped; /* lines of this window */
};

void outlet_open(struct outlet *j);
/* A log sink, but for its first argument. */
void outlet_write(struct outlet *j, const struct log_line *l);
