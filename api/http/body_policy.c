/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/body_policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/http/body.h"
#include "api/view/object.h"
#include "base/auto.h"
#include "base/str.h"

static int policy_value(const struct policy_field *f, const json_t *j, int64_t *ret, struct err *e)
{
	switch (f->kind) {
	case POLICY_BOOL:
		if (!json_is_boolean(j))
			return err_set(e, INVALID,
				       "policy field '%s' is %s; it must be true or false", f->name,
				       object_kind(j));
		*ret = json_is_true(j);
		return 0;
	case POLICY_NUMBER:
		if (!json_is_integer(j))
			return err_set(e, INVALID,
				       "policy field '%s' is %s; it must be a whole number from "
				       "%" PRId64 " to %" PRId64,
				       f->name, object_kind(j), f->min, f->max);
		*ret = json_integer_value(j);
		return 0;
	case POLICY_NAME:
	case POLICY_NAMES: return 0; /* set_names() */
	case POLICY_REACTION:
		if (json_is_string(j) && reaction_from_id(json_string_value(j), ret) == 0)
			return 0;
		break;
	}
	char known[128];

	return err_set(e, INVALID, "policy field '%s' is %s%.32s%s; it must be %s", f->name,
		       json_is_string(j) ? "'" : "",
		       json_is_string(j) ? json_string_value(j) : object_kind(j),
		       json_is_string(j) ? "'" : "", reaction_list(known, sizeof known));
}

static int set_names(struct policy *p, const struct policy_field *f, const json_t *j, struct err *e)
{
	char text[POLICY_TEXT + NAME_CAP] = "";
	size_t n = 0, i;
	json_t *name;

	if (f->kind == POLICY_NAME && json_is_string(j) && !strchr(json_string_value(j), ' '))
		return policy_set_text(p, f, json_string_value(j), e);
	if (f->kind == POLICY_NAME)
		return err_set(e, INVALID,
			       "policy field '%s' is %s; it must be the name of a VM, or \"\"",
			       f->name, json_is_string(j) ? "several names" : object_kind(j));
	if (!json_is_array(j) || json_array_size(j) > (size_t)f->max)
		return err_set(e, INVALID,
			       "policy field '%s' is %s; it must be a list of at most %" PRId64
			       " names",
			       f->name, object_kind(j), f->max);
	json_array_foreach ((json_t *)j, i, name) {
		const char *s = json_string_value(name);

		if (!s || !name_is_valid(s))
			return err_set(e, INVALID,
				       "policy field '%s': item %zu is no name of a VM: "
				       "use " NAME_PATTERN,
				       f->name, i + 1);
		str_add(text, sizeof text, &n, "%s%s", n ? " " : "", s);
	}
	return policy_set_text(p, f, text, e);
}

static int no_such_policy(const char *name, struct err *e)
{
	const char *near = policy_near(name);

	return err_set(e, INVALID, "there is no policy field '%.64s'%s%s%s", name,
		       near ? "; did you mean '" : "; GET /v1/openapi.json has them",
		       near ? near : "", near ? "'?" : "");
}

static int read_field(struct policy *p, const struct policy_field *f, const json_t *j,
		      struct err *e)
{
	int64_t value = 0;

	if (policy_is_text(f))
		return set_names(p, f, j, e);
	return policy_value(f, j, &value, e) < 0 ? -1 : policy_set(p, f, value, e);
}

int body_policy_read(const json_t *j, bool is_patch, struct body *b, struct err *e)
{
	bool is_whole = !is_patch || json_is_null(j);
	const char *name;
	json_t *value;

	if (!json_is_object(j) && !(is_patch && json_is_null(j)))
		return err_set(e, INVALID, "member 'policy' is %s; it must be an object",
			       object_kind(j));
	b->policy = policy_default();
	b->policy_fields = is_whole ? POLICY_ALL : 0;
	json_object_foreach ((json_t *)j, name, value) {
		const struct policy_field *f = policy_find(name);

		snprintf(b->pointer, sizeof b->pointer, "/policy/%.64s", name);
		if (!f)
			return no_such_policy(name, e);
		b->policy_fields |= POLICY_BIT(f - policy_fields);
		/* The default is there already. */
		if (!(is_patch && json_is_null(value)) && read_field(&b->policy, f, value, e) < 0)
			return -1;
	}
	return 0;
}
