/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - requests that are answered when an operation ends (wait=30s). qvm-api. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct request;
struct waits;

struct waits *waits_new(void);
void waits_free(struct waits *w);
/* Hold the request until the operation ends or the time is over. */
int wait_begin(struct request *r, int64_t operation, int64_t wait_ms, struct err *e);
/* The store has news: answer those whose operation has ended. */
void wait_look(struct waits *w);
/* The supervisor has gone. */
void wait_fail_all(struct waits *w, const struct err *why);
