/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - what shall follow each end of a VM; the table is policy.def. All processes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"

enum reaction { REACTION_STOP, REACTION_RESTART, REACTION_PAUSE, REACTION_STANDBY, REACTION_COUNT };

enum { POLICY_NAMES_MOST = 8, POLICY_TEXT = POLICY_NAMES_MOST * NAME_CAP };

#define POLICY_MEMBER_BOOL(field)     int64_t field;
#define POLICY_MEMBER_NUMBER(field)   int64_t field;
#define POLICY_MEMBER_REACTION(field) int64_t field;
#define POLICY_MEMBER_NAME(field)     char field[NAME_CAP];    /* "" = none; as below */
#define POLICY_MEMBER_NAMES(field)    char field[POLICY_TEXT]; /* "a b c"; zero behind its end */

/* Crosses the api link and is compared by bytes: it has no padding. */
struct policy {
#define POLICY(field, kind, when, def, min, max, what) POLICY_MEMBER_##kind(field)
#include "schemas/policy.def"
#undef POLICY
};

enum policy_index {
#define POLICY(field, kind, when, def, min, max, what) POLICY_INDEX_##field,
#include "schemas/policy.def"
#undef POLICY
	POLICY_COUNT
};

/* A set of fields: bit i is policy_fields[i]. */
#define POLICY_BIT(i) (UINT64_C(1) << (i))
#define POLICY_ALL    (POLICY_BIT(POLICY_COUNT) - 1)
_Static_assert(POLICY_COUNT < 64, "a set of fields is 64 bits");

enum policy_when { POLICY_NOW, POLICY_START };

enum policy_kind { POLICY_BOOL, POLICY_NUMBER, POLICY_REACTION, POLICY_NAME, POLICY_NAMES };

struct policy_field {
	const char *name, *what;
	enum policy_kind kind;
	enum policy_when when; /* a change reaches a VM that runs */
	int64_t def, min, max;
	uint32_t offset; /* in struct policy */
};

extern const struct policy_field policy_fields[];
extern const unsigned policy_n_fields;

struct policy policy_default(void);
/* The field of that name, or NULL. */
const struct policy_field *policy_find(const char *name);
/* The name of the field that may have been meant, or NULL. */
const char *policy_near(const char *name);
/* What 0 means where it is no amount: "no limit"; "" = it is one. */
const char *policy_zero(const struct policy_field *f);
/* Of the kinds NAME and NAMES: a text in struct policy and in the store. */
bool policy_is_text(const struct policy_field *f);
const char *policy_text(const struct policy *p, const struct policy_field *f);
/* Names, separated by blanks or commas; ERR_INVALID says what is wrong with which. */
int policy_set_text(struct policy *p, const struct policy_field *f, const char *text,
		    struct err *e);
/* The next of the names at *text, which moves on; false behind the last. */
bool policy_next_name(const char **text, char ret[static NAME_CAP]);
/* All other kinds. */
int64_t policy_get(const struct policy *p, const struct policy_field *f);
/* Set one field; ERR_INVALID with the permitted range. */
int policy_set(struct policy *p, const struct policy_field *f, int64_t value, struct err *e);
/* A policy from another process: every field in range, else ERR_INVALID. */
int policy_check(const struct policy *p, struct err *e);
/* The fields of that set, from another policy. */
void policy_take(struct policy *p, const struct policy *from, uint64_t fields);
/* The fields in which two differ. */
uint64_t policy_changes(const struct policy *a, const struct policy *b);
/* What a VM runs under that was started with `start`, while `newest` is defined; where the two differ,
 * the next start waits. */
struct policy policy_in_force(const struct policy *start, const struct policy *newest);
/* "restart_budget, hook": the names of a set. */
const char *policy_list(uint64_t fields, char *ret, size_t cap);
const char *reaction_id(int64_t r); /* "restart" */
/* "stop, restart or pause" */
const char *reaction_list(char *ret, size_t cap);
int reaction_from_id(const char *id, int64_t *ret); /* -1 when unknown */
