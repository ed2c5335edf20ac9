/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - a policy as it is stored, and as JSON. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/policy.h"

struct db;

/* That of a revision. Fields without a row have their default; rows of fields that have gone are passed
 * over. */
int policy_of(struct db *d, int64_t vm, int64_t revision, struct policy *ret, struct err *e);
json_t *policy_object(const struct policy *p);
/* The names of a set of fields, at the end of a list. */
void policy_add_names(json_t *list, uint64_t fields);
