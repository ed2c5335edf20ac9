/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/policy.h"

#include "api/view/db.h"
#include "api/view/object.h"

static json_t *value_of(const struct policy *p, const struct policy_field *f)
{
	const char *text = policy_text(p, f);
	char name[NAME_CAP];
	json_t *list;

	switch (f->kind) {
	case POLICY_BOOL: return json_boolean(policy_get(p, f));
	case POLICY_REACTION: return json_string(reaction_id(policy_get(p, f)));
	case POLICY_NUMBER: return json_integer(policy_get(p, f));
	case POLICY_NAME: return json_string(text);
	case POLICY_NAMES: break;
	}
	list = json_array();
	while (policy_next_name(&text, name))
		json_array_append_new(list, json_string(name));
	return list;
}

json_t *policy_object(const struct policy *p)
{
	json_t *o = object_new();

	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];

		json_object_set_new(o, f->name, value_of(p, f));
	}
	return o;
}

int policy_of(struct db *d, int64_t vm, int64_t revision, struct policy *ret, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, policy, DB_INT(vm), DB_INT(revision));
	struct policy p = policy_default();
	struct err unused;
	int got;

	while ((got = db_row(d, q, e)) > 0) {
		const struct policy_field *f = policy_find(db_text(q, 0));

		if (f)
			(void)(policy_is_text(f) ? policy_set_text(&p, f, db_text(q, 2), &unused)
						 : policy_set(&p, f, db_int(q, 1), &unused));
	}
	if (got == 0)
		*ret = p;
	return got;
}

void policy_add_names(json_t *list, uint64_t fields)
{
	for (unsigned i = 0; i < policy_n_fields; i++)
		if (fields & POLICY_BIT(i))
			object_append(list, json_string(policy_fields[i].name));
}
