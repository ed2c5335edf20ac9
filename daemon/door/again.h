/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again.h - a request that is sent again, by its Request-Id, because its client has lost the answer:
 * it is answered as the first time and not done again. Supervisor.
 *
 * Operations are found in their own table, typing in the last ids of this process, all else in the
 * table done, whose row is committed with the change itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct call;

/* Before anything is done to the call: keep in c->asks what it asks for, so that an id that comes with
 * something else is refused rather than answered with what was not done. */
void again_mark(struct call *c);
/* True: it was done before, or the id is another's, and the call has been answered and freed. */
bool again_answered(struct call *take);
/* In the transaction of the change: so it was done. */
int again_note(const struct call *c, int64_t revision, bool is_new, struct err *e);
/* What was typed is in no table: it is known as long as this process lives. */
void again_typed(const struct call *c);
