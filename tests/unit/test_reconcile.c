/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/reconcile.h"

#include "base/str.h"
#include "tests/unit/test.h"

static const char BOOT[] = "this-boot";

static enum reconcile_verdict judge_with(struct record r, bool autostart, enum reconcile_worker w)
{
	struct policy p = policy_default();

	p.autostart = autostart;
	return reconcile_row(&r, &p, w, BOOT);
}

static enum reconcile_verdict judge(struct record r, bool autostart)
{
	return judge_with(r, autostart, RECONCILE_GONE);
}

TEST(reconcile_adopts_a_worker_that_is_there_and_explains_one_that_is_not)
{
	static const enum observed with_worker[] = {OBSERVED_STARTING, OBSERVED_RUNNING,
						    OBSERVED_PAUSED, OBSERVED_STOPPING};

	for (size_t i = 0; i < 4; i++) {
		struct record r = {.observed = with_worker[i]};

		assert_int_equal(judge_with(r, false, RECONCILE_GONE), RECONCILE_LOST);
		assert_int_equal(judge_with(r, false, RECONCILE_KEPT), RECONCILE_ADOPT);
	}
}

TEST(reconcile_leaves_a_guest_running_that_cannot_be_talked_to_but_not_one_that_never_ran)
{
	struct record r = {.observed = OBSERVED_RUNNING};

	assert_int_equal(judge_with(r, false, RECONCILE_FOREIGN), RECONCILE_ADOPT);
	r.observed = OBSERVED_STARTING;
	assert_int_equal(judge_with(r, false, RECONCILE_FOREIGN), RECONCILE_LOST);
}

TEST(reconcile_starts_what_the_last_supervisor_ended_with_itself)
{
	struct record r = {.desired = DESIRED_RUNNING,
			   .observed = OBSERVED_STOPPED,
			   .cause = CAUSE_HOST_SHUTDOWN,
			   .generation = 1};

	assert_int_equal(judge(r, false), RECONCILE_START);
	r.desired = DESIRED_STOPPED;
	assert_int_equal(judge(r, false), RECONCILE_LEAVE);
}

TEST(reconcile_keeps_a_restart_that_was_due)
{
	struct record r = {.desired = DESIRED_RUNNING,
			   .observed = OBSERVED_SAFE,
			   .cause = CAUSE_TRIPLE_FAULT,
			   .generation = 1,
			   .restart_at_ms = 5000};

	assert_int_equal(judge(r, false), RECONCILE_AGAIN);
	r.restart_at_ms = 0;
	assert_int_equal(judge(r, true), RECONCILE_LEAVE); /* the latch holds */
}

TEST(reconcile_autostarts_once_per_boot)
{
	struct record r = {.desired = DESIRED_STOPPED, .observed = OBSERVED_STOPPED};

	assert_int_equal(judge(r, true), RECONCILE_START); /* never had a life */
	assert_int_equal(judge(r, false), RECONCILE_LEAVE);
	r.generation = 3;
	str_copy(r.boot, sizeof r.boot, BOOT); /* an operator's stop, since the boot */
	assert_int_equal(judge(r, true), RECONCILE_LEAVE);
	str_copy(r.boot, sizeof r.boot, "the-one-before");
	assert_int_equal(judge(r, true), RECONCILE_START);
}

TEST(reconcile_leaves_a_guest_off_that_switched_itself_off)
{
	struct record r = {.desired = DESIRED_RUNNING,
			   .observed = OBSERVED_STOPPED,
			   .cause = CAUSE_POWEROFF,
			   .generation = 1,
			   .boot = "this-boot"};

	assert_int_equal(judge(r, true), RECONCILE_LEAVE);
}

TEST(reconcile_goes_on_with_a_standby_that_is_ready_and_ends_what_is_left_of_any_other)
{
	struct record r = {.observed = OBSERVED_READY, .pid = 4711};

	assert_int_equal(judge_with(r, true, RECONCILE_KEPT), RECONCILE_ADOPT);
	assert_int_equal(judge_with(r, true, RECONCILE_FOREIGN), RECONCILE_UNREADY);
	assert_int_equal(judge_with(r, true, RECONCILE_GONE), RECONCILE_UNREADY);
	r.observed = OBSERVED_PREPARING;
	assert_int_equal(judge_with(r, true, RECONCILE_KEPT), RECONCILE_UNREADY);
}
