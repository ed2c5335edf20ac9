/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - what shall follow each end of a VM; the table is policy.def. All processes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum reaction { REACTION_STOP, REACTION_RESTART, REACTION_PAUSE, REACTION_COUNT };

/* Crosses the api link by memcpy. Every member is a number, so that one setter serves all. */
struct policy {
#define POLICY(field, kind, def, min, max, what) int64_t field;
#include "schemas/policy.def"
#undef POLICY
};

enum policy_kind { POLICY_BOOL, POLICY_NUMBER, POLICY_REACTION };

struct policy_field {
	const char *name, *what;
	enum policy_kind kind;
	int64_t def, min, max;
	uint32_t offset; /* of an int64_t in struct policy */
};

extern const struct policy_field policy_fields[];
extern const unsigned policy_n_fields;

struct policy policy_default(void);
/* The field of that name, or NULL. */
const struct policy_field *policy_find(const char *name);
int64_t policy_get(const struct policy *p, const struct policy_field *f);
/* Set one field; ERR_INVALID with the permitted range. */
int policy_set(struct policy *p, const struct policy_field *f, int64_t value, struct err *e);
/* A policy from another process: every field in range, else ERR_INVALID. */
int policy_check(const struct policy *p, struct err *e);
const char *reaction_id(int64_t r); /* "restart" */
/* "stop, restart or pause" */
const char *reaction_list(char *ret, size_t cap);
int reaction_from_id(const char *id, int64_t *ret); /* -1 when unknown */
