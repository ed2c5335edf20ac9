/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a request's target to a row of ops.def. */
#include <stdio.h>
#include <string.h>

#include "api/http/route.h"
#include "api/http/target.h"
#include "base/auto.h"
#include "schemas/op.h"
#include "tests/unit/test.h"

/* `text` in the place of a parameter, which ends with '}'. */
static void put(char *path, size_t cap, const char *parameter, const char *text)
{
	char *open = strstr(path, parameter), rest[128];

	if (!open)
		return;
	snprintf(rest, sizeof rest, "%s", strchr(open, '}') + 1);
	snprintf(open, cap - (size_t)(open - path), "%s%s", text, rest);
}

TEST(route_finds_each_row_of_the_table)
{
	for (unsigned i = 0; i < OP_COUNT; i++) {
		char path[128];
		struct route r;
		struct err e;

		snprintf(path, sizeof path, "%s", op_table[i].path);
		put(path, sizeof path, "{dump}", "7-20261123-120000.gcore");
		while (strchr(path, '{'))
			put(path, sizeof path, "{", "7"); /* both a name and a number */
		assert_int_equal(route_find(op_method_name(op_table[i].method), path, &r, &e), 0);
		assert_int_equal(r.op, i);
	}
}

TEST(route_reads_name_and_number)
{
	struct route r;
	struct err e;

	assert_int_equal(route_find("POST", "/v1/vms/web/start", &r, &e), 0);
	assert_int_equal(r.op, OP_vm_start);
	assert_string_equal(r.param, "web");
	assert_int_equal(route_find("GET", "/v1/operations/42", &r, &e), 0);
	assert_int_equal(r.id, 42);
	assert_int_equal(route_find("HEAD", "/v1/vms", &r, &e), 0);
	assert_int_equal(r.op, OP_vm_list);
}

TEST(route_reads_a_dump_of_that_vm_alone)
{
	static const char *const wrong[] = {"web-20261123-120000.gcore.part", "web", "..",
					    "db-20261123-120000.gcore",
					    "web-20261123-120000-0.gcore"};
	char path[128];
	struct route r;
	struct err e;

	assert_int_equal(route_find("GET", "/v1/vms/web/dumps/web-20261123-120000-3.gcore", &r, &e),
			 0);
	assert_int_equal(r.op, OP_dump_get);
	assert_string_equal(r.param, "web");
	assert_string_equal(r.dump, "web-20261123-120000-3.gcore");
	for (size_t i = 0; i < NELEMS(wrong); i++) {
		snprintf(path, sizeof path, "/v1/vms/web/dumps/%s", wrong[i]);
		assert_int_equal(route_find("GET", path, &r, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
	}
}

TEST(route_of_an_unknown_path_names_it_and_the_nearest)
{
	struct route r;
	struct err e;

	assert_int_equal(route_find("GET", "/v1/vmz", &r, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "'/v1/vmz'"));
	assert_non_null(strstr(e.msg, "'/v1/vms'"));
	assert_int_equal(route_find("POST", "/v1/vms/web/strat", &r, &e), -1);
	assert_non_null(strstr(e.msg, "'/v1/vms/web/start'"));
	assert_int_equal(route_find("GET", "/v1/vms/", &r, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(route_find("GET", "/nothing/like/it", &r, &e), -1);
	assert_null(strstr(e.msg, "did you mean"));
}

TEST(route_of_a_wrong_method_lists_the_right_ones)
{
	char allow[ROUTE_ALLOW];
	struct route r;
	struct err e;

	assert_int_equal(route_find("POST", "/v1/vms/web", &r, &e), -1);
	assert_int_equal(e.code, ERR_METHOD);
	assert_string_equal(route_allow("/v1/vms/web", allow),
			    "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
	assert_string_equal(route_allow("/v1/vms/web/start", allow), "POST, OPTIONS");
	assert_string_equal(route_allow("/v1/vmz", allow), "");
	assert_int_equal(route_find("get", "/v1/vms", &r, &e), -1);
	assert_int_equal(e.code, ERR_METHOD);
}

TEST(route_refuses_what_is_no_name_and_no_number)
{
	static const char *const bad[] = {
		"/v1/vms/UPPER",     "/v1/vms/-dash",
		"/v1/vms/..",	     "/v1/vms/sp ace",
		"/v1/operations/0",  "/v1/operations/-1",
		"/v1/operations/1x", "/v1/operations/99999999999999999999"};
	struct route r;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(route_find("GET", bad[i], &r, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
	}
}

TEST(target_is_split_and_decoded)
{
	char path[TARGET_PATH];
	const char *query;
	struct err e;

	assert_int_equal(target_path("/v1/vms/a%2Db?x=%41&y", path, &query, &e), 0);
	assert_string_equal(path, "/v1/vms/a-b");
	assert_string_equal(query, "x=%41&y");
	assert_int_equal(target_path("/v1/vms", path, &query, &e), 0);
	assert_string_equal(query, "");
	assert_int_equal(target_path("HTTP://qvm:80/v1/vms?x", path, &query, &e), 0);
	assert_string_equal(path, "/v1/vms");
	assert_string_equal(query, "x");
}

TEST(target_refuses_what_two_readers_could_read_differently)
{
	static const char *const bad[] = {
		"",    "v1/vms", "http://x", "http:///v1", "ftp://x/v1", "/a%00b", "/a%zz", "/a%4",
		"/a%", "/a%2fb", "/a%2Fb",   "/a\x01",	   "/a%0d%0a",	 "/a%7f",  "*"};
	char path[TARGET_PATH], lengthy[TARGET_PATH + 8];
	const char *query;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(target_path(bad[i], path, &query, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
	}
	memset(lengthy, '/', sizeof lengthy);
	lengthy[sizeof lengthy - 1] = '\0';
	assert_int_equal(target_path(lengthy, path, &query, &e), -1);
}
