/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt.h - what may end the process that does it, done by one of its own. Every process; before it has
 * threads and while its sandbox permits fork().
 */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "base/err.h"

/* In the child: leave what is to be known in `said`, zeroed. The end of the process frees what it holds. */
typedef void attempt_body(void *arg, void *said);

enum { ATTEMPT_MOST = PIPE_BUF }; /* bytes that a pipe keeps together */

/* 0: body returned, and ret has its n bytes, at most ATTEMPT_MOST. 1: the child ended before, with
 * *ret_status as waitpid() tells it. -1: ERR_RESOURCE, nothing was tried. */
int attempt_run(attempt_body *body, void *arg, void *ret, size_t n, int *ret_status, struct err *e);
/* "signal SEGV", "status 1": how a child ended. */
enum { ATTEMPT_END = 32 };
const char *attempt_end(int status, char ret[static ATTEMPT_END]);
