/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.h - may this request come in? Target, route, origin, how many the caller sends, role, parameters,
 * type and length of its body, in this order, before a byte of the body is kept. qvm-api.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "schemas/op.h"

struct request;
struct strict_headers;

/* Fills what the request knows of itself. 0: it may; or it is an OPTIONS request, whose answer is
 * r->allow. -1: the refusal; r->allow is set when the method was wrong. */
int admit_request(struct request *r, const char *method, const struct strict_headers *h,
		  struct err *e);
/* Bytes that the body of an operation may have. */
size_t admit_most(enum op_id op);
