/* SPDX-License-Identifier: Apache-2.0 */
/* What the API writes: objects by the table, problems, the document; and whom it believes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http/auth.h"
#include "api/http/match.h"
#include "api/view/object.h"
#include "api/view/openapi.h"
#include "api/http/param.h"
#include "api/http/problem.h"
#include "tests/unit/test.h"

TEST(resource_table_refers_only_to_what_is_there)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct resource_field *f = &resource_fields[i];

		if (f->kind == FIELD_OBJECT || f->kind == FIELD_LIST)
			assert_true(resource_find(f->of) < RESOURCE_COUNT);
		else if (f->kind == FIELD_WORD)
			assert_non_null(resource_word(f->of, 0));
		else
			assert_string_equal(f->of, "none");
		for (unsigned j = 0; j < i; j++)
			assert_false(f->resource == resource_fields[j].resource &&
				     !strcmp(f->name, resource_fields[j].name));
	}
}

static void assert_text(const char *bytes, size_t n, const char *utf8)
{
	AUTO_JSON json_t *s = object_string(bytes, n);

	assert_string_equal(json_string_value(s), utf8);
}

TEST(object_text_of_any_bytes_is_utf8)
{
	assert_text("plain", 5, "plain");
	assert_text("caf\xc3\xa9", 5, "caf\xc3\xa9");
	assert_text("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
	assert_text("a\xff"
		    "b",
		    3,
		    "a\xef\xbf\xbd"
		    "b");
	assert_text("\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd");			/* overlong */
	assert_text("\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
	assert_text("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd");			/* cut */
	assert_text("\xf4\x90\x80\x80", 4,
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* behind the last */
}

TEST(problem_tells_type_place_and_what_to_do)
{
	struct err e;
	AUTO_JSON json_t *p = NULL;

	err_set(&e, METHOD, "no POST on '%s'", "/v1/vms");
	err_wrap(&e, "answer a request");
	p = problem_make(&e, 0xabc, &(struct problem_more){.allowed = "GET, HEAD", .pointer = ""});
	assert_string_equal(json_string_value(json_object_get(p, "type")), "urn:qvm:error:method");
	assert_string_equal(json_string_value(json_object_get(p, "request")), "0000000000000abc");
	assert_int_equal(json_integer_value(json_object_get(p, "status")), 405);
	assert_int_equal(json_array_size(json_object_get(p, "allowed")), 2);
	assert_int_equal(json_array_size(json_object_get(p, "origin")), 2);
	assert_null(json_object_get(p, "pointer"));
	assert_true(strlen(json_string_value(json_object_get(p, "hint"))) > 0);
}

TEST(problem_of_an_internal_error_names_the_request_to_look_for)
{
	struct err e;
	AUTO_JSON json_t *p = NULL;

	err_set(&e, INTERNAL, "x");
	p = problem_make(&e, 0xabc, NULL);
	assert_non_null(strstr(json_string_value(json_object_get(p, "hint")),
			       "QVM_REQUEST=0000000000000abc"));
}

/* Every "$ref" leads somewhere. */
static void follow_references(const json_t *root, const json_t *node)
{
	const char *key, *path = json_string_value(json_object_get(node, "$ref"));
	json_t *value;
	size_t i;

	if (path) {
		char section[32], name[64];

		assert_int_equal(
			sscanf(path, "#/components/%31[a-zA-Z]/%63[-a-zA-Z_0-9]", section, name),
			2);
		assert_non_null(json_object_get(
			json_object_get(json_object_get(root, "components"), section), name));
	}
	json_object_foreach ((json_t *)node, key, value)
		follow_references(root, value);
	json_array_foreach (node, i, value)
		follow_references(root, value);
}

TEST(openapi_holds_each_operation_and_each_reference)
{
	char *text = openapi_print();
	AUTO_JSON json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	for (unsigned i = 0; i < OP_COUNT; i++) {
		static const char *const key[] = {"get", "put", "patch", "post", "delete"};
		json_t *path = json_object_get(json_object_get(root, "paths"), op_table[i].path);
		json_t *o = json_object_get(path, key[op_table[i].method]);

		assert_string_equal(json_string_value(json_object_get(o, "operationId")),
				    op_table[i].id);
	}
	follow_references(root, root);
	free(text);
}

TEST(auth_gives_the_highest_role_of_uid_and_groups)
{
	struct auth a = {.own_uid = 1000};
	gid_t group[] = {5, 50, 60};

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		a.group[r] = (gid_t)-1;
	assert_int_equal(auth_role(&a, 0, NULL, 0), ROLE_ADMIN);
	assert_int_equal(auth_role(&a, 1000, NULL, 0), ROLE_ADMIN);
	assert_int_equal(auth_role(&a, 7, group, 3), ROLE_READER);
	a.group[ROLE_OPERATOR] = 50;
	assert_int_equal(auth_role(&a, 7, group, 3), ROLE_OPERATOR);
	assert_int_equal(auth_role(&a, 7, group, 1), ROLE_READER);
	a.group[ROLE_ADMIN] = 60;
	assert_int_equal(auth_role(&a, 7, group, 3), ROLE_ADMIN);
	/* A gid of "none" matches nobody. */
	group[0] = (gid_t)-1;
	a.group[ROLE_ADMIN] = (gid_t)-1;
	assert_int_equal(auth_role(&a, 7, group, 1), ROLE_READER);
}

TEST(auth_refusal_names_the_role_that_is_needed)
{
	struct msg_caller c = {.uid = 7, .role = ROLE_READER};
	struct err e;

	assert_int_equal(auth_check(&c, "", OP_vm_list, "", &e), 0);
	assert_int_equal(auth_check(&c, "", OP_vm_start, "", &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	assert_non_null(strstr(e.msg, "'operator'"));
	assert_non_null(strstr(e.msg, "'qvm-operator'"));
	c.role = ROLE_OPERATOR;
	assert_int_equal(auth_check(&c, "", OP_vm_start, "", &e), 0);
	assert_int_equal(auth_check(&c, "", OP_vm_delete, "", &e), -1);
}

TEST(match_reads_one_revision)
{
	static const char *const bad[] = {"", "\"\"", "x", "W/\"4\"", "\"4\", \"5\"", "-1", "4x"};
	int64_t revision;
	struct err e;

	assert_int_equal(match_read("\"42\"", &revision, &e), 0);
	assert_int_equal(revision, 42);
	assert_int_equal(match_read("0", &revision, &e), 0);
	assert_int_equal(revision, 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(match_read(bad[i], &revision, &e), -1);
}
