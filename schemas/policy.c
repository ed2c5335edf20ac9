/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/policy.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

const struct policy_field policy_fields[] = {
#define POLICY(field, kind, def, min, max, what)                                                   \
	{#field, what, POLICY_##kind, def, min, max, offsetof(struct policy, field)},
#include "schemas/policy.def"
#undef POLICY
};
const unsigned policy_n_fields = NELEMS(policy_fields);

static const char *const reaction[REACTION_COUNT] = {
	[REACTION_STOP] = "stop", [REACTION_RESTART] = "restart", [REACTION_PAUSE] = "pause"};

struct policy policy_default(void)
{
	return (struct policy){
#define POLICY(field, kind, def, min, max, what) .field = (def),
#include "schemas/policy.def"
#undef POLICY
	};
}

const struct policy_field *policy_find(const char *name)
{
	for (unsigned i = 0; i < policy_n_fields; i++)
		if (!strcmp(policy_fields[i].name, name))
			return &policy_fields[i];
	return NULL;
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

int policy_check(const struct policy *p, struct err *e)
{
	struct policy copy = *p;

	for (unsigned i = 0; i < policy_n_fields; i++)
		if (policy_set(&copy, &policy_fields[i], policy_get(p, &policy_fields[i]), e) < 0)
			return -1;
	return 0;
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
