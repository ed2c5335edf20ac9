/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers.h - what each operation can answer, for the OpenAPI document: statuses, headers, media
 * types, kinds of problems; from ops.def, answers.def and errors.def. Pure. qvm-api.
 */
#pragma once

#include <jansson.h>

#include "schemas/op.h"

/* {"200": {...}, "404": {"$ref": ...}, ...}; what is in none of them is `default`, a problem. */
json_t *answers_of(enum op_id op);
/* {"application/json": {"schema": ..., "example": ...}} of a body that is sent; NULL = it takes none. */
json_t *answers_body(enum op_id op);
/* What those refer to: components/responses and components/headers. */
json_t *answers_problems(void);
json_t *answers_headers(void);
