/* SPDX-License-Identifier: Apache-2.0 */
/* The contracts themselves: ids are unique, words round-trip, ranges hold. */
#include <string.h>

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
	char vm[8];

	assert_true(op_path_matches("/v1/vms/{vm}/start", "/v1/vms/web/start", vm, sizeof vm));
	assert_string_equal(vm, "web");
	assert_false(op_path_matches("/v1/vms/{vm}/start", "/v1/vms//start", vm, sizeof vm));
	assert_false(op_path_matches("/v1/vms/{vm}", "/v1/vms/a/b", vm, sizeof vm));
	assert_false(op_path_matches("/v1/vms/{vm}", "/v1/vms/12345678", vm, sizeof vm));
	assert_false(op_path_matches("/v1/vms", "/v1/vms/", vm, sizeof vm));
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

TEST(policy_defaults_are_in_range)
{
	struct policy p = policy_default();
	struct err e;

	assert_int_equal(policy_check(&p, &e), 0);
	assert_int_equal(p.on_failure, REACTION_RESTART);
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
