/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/policy.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

const struct policy_field policy_fields[] = {
#define POLICY(field, kind, when, def, min, max, what)                                             \
	{#field, what, POLICY_##kind, POLICY_##when, def, min, max, offsetof(struct policy, field)},
#include "schemas/policy.def"
#undef POLICY
};
const unsigned policy_n_fields = NELEMS(policy_fields);

static const char *const reaction[REACTION_COUNT] = {[REACTION_STOP] = "stop",
						     [REACTION_RESTART] = "restart",
						     [REACTION_PAUSE] = "pause",
						     [REACTION_STANDBY] = "standby"};

#define POLICY_DEFAULT_BOOL(field, def)	    p.field = (def);
#define POLICY_DEFAULT_NUMBER(field, def)   p.field = (def);
#define POLICY_DEFAULT_REACTION(field, def) p.field = (def);
#define POLICY_DEFAULT_NAME(field, def)	    /* none */
#define POLICY_DEFAULT_NAMES(field, def)    /* none */

struct policy policy_default(void)
{
	struct policy p;

	memset(&p, 0, sizeof p);
#define POLICY(field, kind, when, def, min, max, what) POLICY_DEFAULT_##kind(field, def)
#include "schemas/policy.def"
#undef POLICY
	return p;
}

const char *policy_zero(const struct policy_field *f)
{
	static const char mark[] = "0 = ";
	const char *at = strstr(f->what, mark);

	return at ? at + strlen(mark) : "";
}

bool policy_is_text(const struct policy_field *f)
{
	return f->kind == POLICY_NAME || f->kind == POLICY_NAMES;
}

const char *policy_text(const struct policy *p, const struct policy_field *f)
{
	return (const char *)p + f->offset;
}

static size_t text_cap(const struct policy_field *f)
{
	return f->kind == POLICY_NAME ? NAME_CAP : POLICY_TEXT;
}

bool policy_next_name(const char **text, char ret[static NAME_CAP])
{
	const char *from = *text + strspn(*text, " ,");
	size_t n = strcspn(from, " ,");

	*text = from + n;
	snprintf(ret, NAME_CAP, "%.*s", (int)(n < NAME_CAP ? n : NAME_CAP - 1), from);
	return n > 0;
}

static bool has_name(const char *text, const char *name)
{
	char other[NAME_CAP];

	while (policy_next_name(&text, other))
		if (!strcmp(other, name))
			return true;
	return false;
}

int policy_set_text(struct policy *p, const struct policy_field *f, const char *text, struct err *e)
{
	char whole[POLICY_TEXT] = "", name[NAME_CAP];
	size_t at = 0;
	int64_t n = 0;

	while (policy_next_name(&text, name)) {
		if (!name_is_valid(name) || has_name(whole, name))
			return err_set(e, INVALID, "policy field '%s': '%s' is %s", f->name, name,
				       name_is_valid(name) ? "named twice"
							   : "no name of a VM: use " NAME_PATTERN);
		if (++n > f->max)
			return err_set(e, INVALID,
				       "policy field '%s' has more than %" PRId64 " names", f->name,
				       f->max);
		str_add(whole, sizeof whole, &at, "%s%s", at ? " " : "", name);
	}
	memcpy((char *)p + f->offset, whole, text_cap(f));
	return 0;
}

const struct policy_field *policy_find(const char *name)
{
	for (unsigned i = 0; i < policy_n_fields; i++)
		if (!strcmp(policy_fields[i].name, name))
			return &policy_fields[i];
	return NULL;
}

const char *policy_near(const char *name)
{
	struct str_near field = str_near(name);

	for (unsigned i = 0; i < policy_n_fields; i++)
		str_try(&field, policy_fields[i].name);
	return field.near;
}

int64_t policy_get(const struct policy *p, const struct policy_field *f)
{
	int64_t value;

	memcpy(&value, (const char *)p + f->offset, sizeof value);
	return value;
}

int policy_set(struct policy *p, const struct policy_field *f, int64_t value, struct err *e)
{
	if (value < f->min || value > f->max)
		return err_set(e, INVALID,
			       "policy field '%s' is %" PRId64 "; it must be from %" PRId64
			       " to %" PRId64,
			       f->name, value, f->min, f->max);
	memcpy((char *)p + f->offset, &value, sizeof value);
	return 0;
}

static int check_field(const struct policy *p, const struct policy_field *f, struct policy *copy,
		       struct err *e)
{
	const char *text = policy_text(p, f);

	if (!policy_is_text(f))
		return policy_set(copy, f, policy_get(p, f), e);
	if (!str_is_terminated(text, text_cap(f)))
		return err_set(e, INVALID, "policy field '%s' has no end", f->name);
	return policy_set_text(copy, f, text, e);
}

int policy_check(const struct policy *p, struct err *e)
{
	struct policy copy = *p;

	for (unsigned i = 0; i < policy_n_fields; i++)
		if (check_field(p, &policy_fields[i], &copy, e) < 0)
			return -1;
	return 0;
}

static size_t size_of(const struct policy_field *f)
{
	return policy_is_text(f) ? text_cap(f) : sizeof(int64_t);
}

void policy_take(struct policy *p, const struct policy *from, uint64_t fields)
{
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];

		if (fields & POLICY_BIT(i))
			memcpy((char *)p + f->offset, (const char *)from + f->offset, size_of(f));
	}
}

uint64_t policy_changes(const struct policy *a, const struct policy *b)
{
	uint64_t fields = 0;

	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];

		if (memcmp((const char *)a + f->offset, (const char *)b + f->offset, size_of(f)) !=
		    0)
			fields |= POLICY_BIT(i);
	}
	return fields;
}

struct policy policy_in_force(const struct policy *start, const struct policy *newest)
{
	struct policy p = *newest;
	uint64_t waiting = 0;

	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];
		bool waits = f->when == POLICY_START;

		if (f->kind == POLICY_REACTION)
			waits = (policy_get(start, f) == REACTION_PAUSE) !=
				(policy_get(newest, f) == REACTION_PAUSE);
		if (waits)
			waiting |= POLICY_BIT(i);
	}
	policy_take(&p, start, waiting);
	return p;
}

const char *policy_list(uint64_t fields, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < policy_n_fields; i++)
		if (fields & POLICY_BIT(i))
			str_add(ret, cap, &n, "%s%s", n ? ", " : "", policy_fields[i].name);
	return ret;
}

const char *reaction_id(int64_t r)
{
	return r >= 0 && r < REACTION_COUNT ? reaction[r] : "?";
}

const char *reaction_list(char *ret, size_t cap)
{
	size_t n = 0;

	for (int64_t r = 0; r < REACTION_COUNT; r++)
		str_add(ret, cap, &n, "%s%s",
			r == 0			  ? ""
			: r == REACTION_COUNT - 1 ? " or "
						  : ", ",
			reaction[r]);
	return ret;
}

int reaction_from_id(const char *id, int64_t *ret)
{
	for (int64_t r = 0; r < REACTION_COUNT; r++) {
		if (!strcmp(reaction[r], id)) {
			*ret = r;
			return 0;
		}
	}
	return -1;
}
