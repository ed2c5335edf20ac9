/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a query, by params.def. */
#include <string.h>

#include "api/http/param.h"
#include "tests/unit/test.h"

static int read_into(enum op_id op, const char *query, struct param_set *p, struct err *e)
{
	param_begin(op, p);
	return param_read_query(op, query, p, e);
}

TEST(param_rows_of_an_operation_stand_together_and_fit)
{
	unsigned run = 0;

	for (unsigned i = 0; i < PARAM_COUNT; i++) {
		run = i && param_table[i].op == param_table[i - 1].op ? run + 1 : 1;
		assert_true(run <= PARAM_MOST);
		assert_int_equal(param_first(param_table[i].op), i - (run - 1));
	}
}

TEST(param_defaults_hold_until_set)
{
	struct param_set p;
	struct err e;

	assert_int_equal(read_into(OP_vm_list, "", &p, &e), 0);
	assert_int_equal(param_number(&p, PARAM_OF_vm_list_limit), 1000);
	assert_false(param_is_set(&p, PARAM_OF_vm_list_limit));
	assert_string_equal(param_text(&p, PARAM_OF_vm_list_after), "");
	assert_int_equal(read_into(OP_vm_list, "limit=3&after=w%65b", &p, &e), 0);
	assert_int_equal(param_number(&p, PARAM_OF_vm_list_limit), 3);
	assert_string_equal(param_text(&p, PARAM_OF_vm_list_after), "web");
}

TEST(param_spans_have_units)
{
	static const struct {
		const char *query;
		int64_t ms;
	} good[] = {{"wait=500ms", 500}, {"wait=30s", 30000}, {"wait=5m", 300000},
		    {"wait=2", 2000},	 {"wait=0", 0},	      {"wait=10m", 600000}};
	static const char *const bad[] = {"wait=11m", "wait=-1s", "wait=s",
					  "wait=",    "wait=1h",  "wait=1.5s",
					  "wait=1s2", "wait",	  "wait=99999999999999999999s"};
	struct param_set p;
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(read_into(OP_vm_start, good[i].query, &p, &e), 0);
		assert_int_equal(param_number(&p, PARAM_OF_vm_start_wait), good[i].ms);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(read_into(OP_vm_start, bad[i], &p, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
	}
}

TEST(param_refusals_name_what_is_permitted)
{
	struct param_set p;
	struct err e;

	assert_int_equal(read_into(OP_vm_list, "limit=0", &p, &e), -1);
	assert_non_null(strstr(e.msg, "from 1 to 10000"));
	assert_int_equal(read_into(OP_vm_list, "limt=1", &p, &e), -1);
	assert_non_null(strstr(e.msg, "did you mean 'limit'"));
	assert_int_equal(read_into(OP_vm_list, "zzzzz=1", &p, &e), -1);
	assert_non_null(strstr(e.msg, "limit, after"));
	assert_int_equal(read_into(OP_vm_list, "limit=1&limit=2", &p, &e), -1);
	assert_non_null(strstr(e.msg, "twice"));
	assert_int_equal(read_into(OP_vm_list, "after=UPPER", &p, &e), -1);
	assert_int_equal(read_into(OP_vm_list, "after=a%00", &p, &e), -1);
	assert_int_equal(read_into(OP_health, "x=1", &p, &e), -1);
	/* A header is no parameter of the query. */
	assert_int_equal(read_into(OP_vm_put, "If-Match=1", &p, &e), -1);
}

TEST(param_flag_alone_is_yes)
{
	struct param_set p;
	struct err e;

	assert_int_equal(read_into(OP_event_list, "follow&since=7&kind=started", &p, &e), 0);
	assert_int_equal(param_number(&p, PARAM_OF_event_list_follow), 1);
	assert_int_equal(param_number(&p, PARAM_OF_event_list_since), 7);
	assert_string_equal(param_text(&p, PARAM_OF_event_list_kind), "started");
	assert_int_equal(read_into(OP_event_list, "follow=2", &p, &e), -1);
	assert_int_equal(read_into(OP_event_list, "since", &p, &e), -1);
}
