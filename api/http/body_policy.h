/* SPDX-License-Identifier: Apache-2.0 */
/* body_policy.h - the policy in a body, field by field as policy.def has it. Pure. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct body;

/* Into b->policy and b->policy_fields. What a whole policy leaves out has its default; of a patch
 * (RFC 7396) only what is named is meant, and null is the default. ERR_INVALID, and b->pointer is
 * that of the field. */
int body_policy_read(const json_t *j, bool is_patch, struct body *b, struct err *e);
