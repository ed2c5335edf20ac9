/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/order.h"

#include "base/auto.h"
#include "tests/unit/test.h"

enum { APP, DB, LOG, WEB };

/* By name; all shall run, none does. */
static void begin(struct order_member m[4])
{
	static const char *const name[] = {"app", "db", "log", "web"};

	for (size_t i = 0; i < 4; i++)
		m[i] = (struct order_member){
			.name = name[i], .after = "", .is_wanted = true, .waits = true};
}

static enum order_why may_start(struct order_member m[4], size_t i)
{
	order_prepare(m, 4);
	return order_may_start(m, 4, i).why;
}

static void runs(struct order_member *m)
{
	m->waits = m->is_on_way = false;
	m->runs = true;
}

TEST(order_lets_all_start_that_wait_for_nobody)
{
	struct order_member m[4];

	begin(m);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(may_start(m, i), ORDER_GO);
}

TEST(order_waits_for_those_that_are_named_and_shall_run)
{
	struct order_member m[4];

	begin(m);
	m[APP].after = "db nobody";
	assert_int_equal(may_start(m, APP), ORDER_AFTER);
	assert_int_equal(order_may_start(m, 4, APP).blocker, DB);
	m[DB].waits = false;
	m[DB].is_on_way = true;
	assert_int_equal(may_start(m, APP), ORDER_AFTER);
	runs(&m[DB]);
	assert_int_equal(may_start(m, APP), ORDER_GO);
	begin(m);
	m[APP].after = "db";
	m[DB].is_wanted = m[DB].waits = false;
	assert_int_equal(may_start(m, APP), ORDER_GO);
}

TEST(order_waits_for_the_lower_ranks_on_their_way)
{
	struct order_member m[4];

	begin(m);
	m[WEB].order = 2;
	m[LOG].order = -1;
	assert_int_equal(may_start(m, WEB), ORDER_RANK);
	assert_int_equal(may_start(m, APP), ORDER_RANK);
	assert_int_equal(may_start(m, LOG), ORDER_GO);
	runs(&m[LOG]);
	assert_int_equal(may_start(m, APP), ORDER_GO);
	m[APP].waits = m[DB].waits = false; /* one has failed, the other is on its way */
	m[DB].is_on_way = true;
	assert_int_equal(may_start(m, WEB), ORDER_RANK);
	runs(&m[DB]);
	assert_int_equal(may_start(m, WEB), ORDER_GO);
}

TEST(order_has_the_rule_win_over_the_rank)
{
	struct order_member m[4];

	begin(m);
	m[APP].after = "db";
	m[APP].order = -100; /* before db, which it waits for */
	m[DB].order = 5;
	m[WEB].order = 6;
	assert_int_equal(may_start(m, DB), ORDER_RANK); /* log, of rank 0 */
	runs(&m[LOG]);
	assert_int_equal(may_start(m, DB), ORDER_GO);
	assert_int_equal(m[APP].rank, 5);
	runs(&m[DB]);
	assert_int_equal(may_start(m, WEB), ORDER_RANK);
	assert_int_equal(may_start(m, APP), ORDER_GO);
}

TEST(order_lets_nobody_wait_for_one_that_is_stuck_but_who_names_it)
{
	struct order_member m[4];

	begin(m);
	m[DB].waits = false; /* safe, for an operator to look at */
	m[APP].after = "db";
	m[LOG].after = "app";
	m[WEB].order = 1;
	assert_int_equal(may_start(m, APP), ORDER_AFTER);
	assert_int_equal(may_start(m, LOG), ORDER_AFTER);
	assert_int_equal(may_start(m, WEB), ORDER_GO);
	m[DB].is_due = true; /* its policy tries again */
	assert_int_equal(may_start(m, WEB), ORDER_RANK);
}

TEST(order_ends_in_the_reverse)
{
	struct order_member m[4];

	begin(m);
	for (size_t i = 0; i < 4; i++)
		m[i].has_worker = true;
	m[APP].after = "db";
	m[WEB].order = 1;
	order_prepare(m, 4);
	assert_true(order_may_end(m, 4, WEB));
	assert_false(order_may_end(m, 4, APP));
	m[WEB].has_worker = false;
	assert_true(order_may_end(m, 4, APP));
	assert_true(order_may_end(m, 4, LOG));
	assert_false(order_may_end(m, 4, DB));
	m[APP].has_worker = false;
	assert_true(order_may_end(m, 4, DB));
}

TEST(order_names_the_cycle)
{
	struct order_member m[4];
	char text[128];

	begin(m);
	m[APP].after = "log db";
	m[DB].after = "web";
	m[WEB].after = "nobody app";
	assert_true(order_has_cycle(m, 4, APP, text, sizeof text));
	assert_string_equal(text, "app -> db -> web -> app");
	assert_false(order_has_cycle(m, 4, LOG, text, sizeof text));
	m[LOG].after = "log";
	assert_true(order_has_cycle(m, 4, LOG, text, sizeof text));
	assert_string_equal(text, "log -> log");
	order_prepare(m, 4); /* comes to an end */
}
