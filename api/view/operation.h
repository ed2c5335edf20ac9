/* SPDX-License-Identifier: Apache-2.0 */
/* operation.h - an operation's row as JSON, and the answer to the request that began it. qvm-api. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct request;

/* Answer with the operation: at once, or held until it ends if the request says wait=. */
int operation_answer(struct request *r, int64_t id, struct err *e);
/* Answer with what the row says now. */
int operation_answer_now(struct request *r, int64_t id, struct err *e);
int operation_is_running(struct db *d, int64_t id, bool *ret, struct err *e);
