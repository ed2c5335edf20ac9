/* SPDX-License-Identifier: Apache-2.0 */
/* The contracts themselves: ids are unique, words round-trip, ranges hold. */
#include <string.h>
#include <syslog.h>

#include "base/auto.h"
#include "schemas/cause.h"
#include "schemas/diagnostic.h"
#include "schemas/journal.h"
#include "schemas/lifecycle.h"
#include "schemas/op.h"
#include "schemas/policy.h"
#include "tests/unit/test.h"

TEST(cause_ids_round_trip_and_lies_read_as_worker_exit)
{
	for (unsigned c = 1; c < CAUSE_COUNT; c++)
		assert_int_equal(cause_from_id(cause_id(c)), c);
	assert_string_equal(cause_id(4711), "worker-exit");
	assert_true(cause_is_failure(CAUSE_TRIPLE_FAULT));
	assert_true(cause_is_failure(CAUSE_WATCHDOG));
	assert_false(cause_is_failure(CAUSE_POWEROFF));
	assert_false(cause_is_failure(CAUSE_KILLED));
}

TEST(cause_exits_are_those_of_the_original)
{
	assert_int_equal(cause_exit(CAUSE_POWEROFF), 0);
	assert_int_equal(cause_exit(CAUSE_REBOOT), 0);
	assert_int_equal(cause_exit(CAUSE_POWER_CUT), 3);
	assert_int_equal(cause_exit(CAUSE_WATCHDOG), 4);
	assert_int_equal(cause_exit(CAUSE_UNSUPPORTED), 5);
	assert_int_equal(cause_exit(CAUSE_VDEV_ERROR), 6);
	assert_int_equal(cause_exit(CAUSE_CONFIGURATION), 65);
}

TEST(diagnostic_loses_what_would_paint_on_a_terminal)
{
	struct diagnostic d = {
		.what = "a\033[2Jb\177c\302\2332Jd", .hint = "Gr\303\274n\tja", .length = 1};

	diagnostic_sane(&d);
	assert_string_equal(d.what, "a?[2Jb?c??2Jd");
	assert_string_equal(d.hint, "Gr\303\274n\tja");
}

TEST(lifecycle_words_round_trip)
{
	for (unsigned i = 0; i < OBSERVED_COUNT; i++)
		assert_int_equal(observed_from_id(observed_id(i)), i);
	for (unsigned i = 0; i < HEALTH_COUNT; i++)
		assert_int_equal(health_from_id(health_id(i)), i);
	assert_int_equal(desired_from_id("safe"), -1);
	assert_string_equal(observed_id(99), "?");
}

TEST(op_paths_capture_a_whole_segment)
{
	char param[OP_PARAMS][OP_PARAM], longest[OP_PARAM + 16];

	assert_true(op_path_matches("/v1/vms/{vm}/start", "/v1/vms/web/start", param));
	assert_string_equal(param[0], "web");
	assert_string_equal(param[1], "");
	assert_true(
		op_path_matches("/v1/vms/{vm}/revisions/{n}", "/v1/vms/web/revisions/7", param));
	assert_string_equal(param[0], "web");
	assert_string_equal(param[1], "7");
	assert_true(
		op_path_matches("/v1/vms/{vm}/dumps/{dump}", "/v1/vms/web/dumps/x.gcore", param));
	assert_string_equal(param[0], "web");
	assert_string_equal(param[1], "x.gcore");
	assert_false(op_path_matches("/v1/vms/{vm}/start", "/v1/vms//start", param));
	assert_false(op_path_matches("/v1/vms/{vm}", "/v1/vms/a/b", param));
	assert_false(op_path_matches("/v1/vms", "/v1/vms/", param));
	snprintf(longest, sizeof longest, "/v1/vms/%0*d", OP_PARAM, 0);
	assert_false(op_path_matches("/v1/vms/{vm}", longest, param));
	longest[strlen(longest) - 1] = '\0';
	assert_true(op_path_matches("/v1/vms/{vm}", longest, param));
}

TEST(op_rows_are_unique_by_method_and_path)
{
	for (unsigned i = 0; i < OP_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			assert_false(op_table[i].method == op_table[j].method &&
				     !strcmp(op_table[i].path, op_table[j].path));
}

TEST(journal_message_ids_are_unique)
{
	for (unsigned i = 0; i < JOURNAL_COUNT; i++) {
		assert_int_equal(strlen(journal_table[i].message_id), 32);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(journal_table[i].message_id,
						journal_table[j].message_id);
	}
}

TEST(journal_ids_round_trip)
{
	for (int i = 0; i < JOURNAL_COUNT; i++)
		assert_int_equal(journal_from_id(journal_table[i].id), i);
	assert_int_equal(journal_from_id("redy"), -1);
}

TEST(journal_severities_are_those_of_its_priorities)
{
	for (int i = 0; i < JOURNAL_COUNT; i++) {
		bool has_word = false;

		for (unsigned s = 0; s < JOURNAL_SEVERITIES; s++)
			has_word |= journal_severity[s].priority == journal_table[i].priority;
		assert_true(has_word);
	}
	assert_int_equal(journal_priority("crit"), LOG_CRIT);
	assert_int_equal(journal_priority("info"), LOG_INFO);
	assert_int_equal(journal_priority("debug"), -1);
}

TEST(policy_defaults_are_in_range)
{
	struct policy p = policy_default();
	struct err e;

	assert_int_equal(policy_check(&p, &e), 0);
	assert_int_equal(p.on_failure, REACTION_RESTART);
}

TEST(policy_takes_the_named_fields_and_tells_what_differs)
{
	const uint64_t fields =
		POLICY_BIT(POLICY_INDEX_restart_budget) | POLICY_BIT(POLICY_INDEX_hook);
	struct policy p = policy_default(), other = policy_default();
	char text[64];

	other.restart_budget = 9;
	other.heartbeat_ms = 900;
	snprintf(other.hook, sizeof other.hook, "tell");
	policy_take(&p, &other, fields);
	assert_int_equal(p.restart_budget, 9);
	assert_string_equal(p.hook, "tell");
	assert_int_equal(p.heartbeat_ms, policy_default().heartbeat_ms);
	assert_int_equal(policy_changes(&p, &other), POLICY_BIT(POLICY_INDEX_heartbeat_ms));
	assert_string_equal(policy_list(fields, text, sizeof text), "hook, restart_budget");
}

TEST(policy_in_force_is_the_newest_but_for_what_a_worker_learns_at_its_start)
{
	struct policy start = policy_default(), newest = policy_default(), now;

	start.on_failure = REACTION_RESTART;
	start.on_watchdog = REACTION_PAUSE;
	start.on_reboot = REACTION_PAUSE;
	newest.restart_budget = 9;
	newest.memory_max = 1 << 20;
	newest.heartbeat_ms = 900;
	newest.on_poweroff = REACTION_RESTART;
	newest.on_failure = REACTION_PAUSE; /* the worker was not told to stand */
	newest.on_watchdog = REACTION_STOP; /* it was told to, and will */
	newest.on_reboot = REACTION_PAUSE;
	now = policy_in_force(&start, &newest);
	assert_int_equal(now.restart_budget, 9);
	assert_int_equal(now.on_poweroff, REACTION_RESTART);
	assert_int_equal(now.on_failure, REACTION_RESTART);
	assert_int_equal(now.on_reboot, REACTION_PAUSE);
	assert_int_equal(
		policy_changes(&now, &newest),
		POLICY_BIT(POLICY_INDEX_memory_max) | POLICY_BIT(POLICY_INDEX_heartbeat_ms) |
			POLICY_BIT(POLICY_INDEX_on_failure) | POLICY_BIT(POLICY_INDEX_on_watchdog));
}

TEST(policy_near_is_the_field_that_was_mistyped)
{
	assert_string_equal(policy_near("restart_budgt"), "restart_budget");
	assert_string_equal(policy_near("hok"), "hook");
	assert_null(policy_near("bogus"));
}

TEST(policy_refuses_what_is_out_of_range_and_states_the_range)
{
	struct policy p = policy_default();
	struct err e;

	assert_int_equal(policy_set(&p, policy_find("heartbeat_ms"), 1, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_non_null(strstr(e.msg, "from 100 to 60000"));
	assert_int_equal(p.heartbeat_ms, 500);
	p.on_reboot = 99;
	assert_int_equal(policy_check(&p, &e), -1);
	assert_null(policy_find("no_such_field"));
}

TEST(policy_zero_is_what_the_documentation_says)
{
	assert_string_equal(policy_zero(policy_find("cpu_max_percent")), "no limit");
	assert_string_equal(policy_zero(policy_find("orphan_timeout_ms")), "for ever");
	assert_string_equal(policy_zero(policy_find("restart_budget")), "");
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];

		assert_true(strlen(policy_zero(f)) < 40);
		assert_true(!*policy_zero(f) || (f->kind == POLICY_NUMBER && f->min <= 0));
	}
}
