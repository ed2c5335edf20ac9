/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - the token of a request's path as a REST object. qvm-api. */
#pragma once

#include "base/err.h"

struct request;

/* The answer to its making, from the database, with the secret that is nowhere else; "" = none. */
int token_answer(struct request *r, const char *secret, struct err *e);
