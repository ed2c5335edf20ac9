/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - If-Match and If-None-Match: which revision a change may find (RFC 9110, 13.1). qvm-api. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct request;

/* The revision for struct msg_call: -1 = any, 0 = only if there is no such VM. `If-Match: *` is
 * judged here: ERR_STALE when there is no such VM. */
int match_of(const struct request *r, int64_t *ret, struct err *e);
/* "12" with or without quotes. */
int match_read(const char *text, int64_t *ret, struct err *e);
