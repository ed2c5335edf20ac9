/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/restart.h"

#include <string.h>

#include "tests/unit/test.h"

static struct restart_decision decide(enum cause cause, enum desired desired,
				      const struct policy *p, uint64_t uptime_ms, uint64_t now_ms,
				      struct restart_history *h)
{
	struct restart_case c = {cause, desired, p, uptime_ms, now_ms};

	return restart_decide(&c, h);
}

TEST(restart_of_a_crash_loop_doubles_its_delay_then_gives_up)
{
	static const uint64_t delays[] = {500, 1000, 2000, 4000, 8000};
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_decision d;

	for (size_t i = 0; i < 5; i++) {
		d = decide(CAUSE_TRIPLE_FAULT, DESIRED_RUNNING, &p, 0, 1000 + i, &h);
		assert_int_equal(d.verdict, RESTART_AGAIN);
		assert_int_equal(d.nth, i + 1);
		assert_int_equal(d.delay_ms, delays[i]);
	}
	d = decide(CAUSE_TRIPLE_FAULT, DESIRED_RUNNING, &p, 0, 2000, &h);
	assert_int_equal(d.verdict, RESTART_GIVE_UP);
}

TEST(restart_budget_is_whole_again_in_the_next_window)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_decision d = {0};

	for (int i = 0; i < 6; i++)
		d = decide(CAUSE_WATCHDOG, DESIRED_RUNNING, &p, 0, 1000, &h);
	assert_int_equal(d.verdict, RESTART_GIVE_UP);
	d = decide(CAUSE_WATCHDOG, DESIRED_RUNNING, &p, 0, 1000 + (uint64_t)p.restart_window_ms,
		   &h);
	assert_int_equal(d.verdict, RESTART_AGAIN);
	assert_int_equal(d.nth, 1);
}

TEST(restart_delay_stays_below_its_most)
{
	struct policy p = policy_default();
	struct restart_history h = {0};

	p.restart_budget = 1000;
	p.restart_delay_ms = 600000;
	p.restart_delay_max_ms = 700000;
	for (uint64_t i = 0; i < 200; i++) {
		struct restart_decision d =
			decide(CAUSE_VDEV_ERROR, DESIRED_RUNNING, &p, 0, 5000, &h);

		assert_true(d.delay_ms <= 700000);
	}
}

/* Intent wins, whatever the cause and the policy. */
TEST(restart_never_beats_a_stop)
{
	struct policy p = policy_default();

	p.on_poweroff = REACTION_RESTART;
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		struct restart_history h = {0};

		assert_int_equal(decide((enum cause)c, DESIRED_STOPPED, &p, 0, 1, &h).verdict,
				 RESTART_STOP);
		assert_int_equal(h.charged, 0);
	}
}

TEST(restart_after_a_reboot_is_not_charged_but_spaced)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_decision d;

	for (int i = 0; i < 100; i++) {
		d = decide(CAUSE_REBOOT, DESIRED_RUNNING, &p, 200, 1000, &h);
		assert_int_equal(d.verdict, RESTART_AGAIN);
		assert_false(d.is_charged);
		assert_int_equal(d.delay_ms, RESTART_SPACING_MS - 200);
	}
	d = decide(CAUSE_REBOOT, DESIRED_RUNNING, &p, 60000, 1000, &h);
	assert_int_equal(d.delay_ms, 0);
}

TEST(restart_of_a_wrong_configuration_is_not_tried)
{
	struct policy p = policy_default();
	struct restart_history h = {0};

	assert_int_equal(decide(CAUSE_CONFIGURATION, DESIRED_RUNNING, &p, 0, 1, &h).verdict,
			 RESTART_SAFE);
}

TEST(restart_leaves_a_frozen_guest_alone_unless_it_shall_stop)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_case c = {.cause = CAUSE_TRIPLE_FAULT,
				 .desired = DESIRED_RUNNING,
				 .policy = &p,
				 .is_frozen = true};
	char text[256];

	p.on_failure = REACTION_PAUSE;
	assert_int_equal(restart_freezes(&p), 1u << CAUSE_CLASS_FAILURE);
	assert_int_equal(restart_decide(&c, &h).verdict, RESTART_FREEZE);
	c.desired = DESIRED_STOPPED;
	assert_int_equal(restart_decide(&c, &h).verdict, RESTART_STOP);
	c.desired = DESIRED_RUNNING;
	c.is_frozen = false;
	struct restart_decision d = restart_decide(&c, &h);
	assert_int_equal(d.verdict, RESTART_SAFE);
	assert_non_null(strstr(restart_sentence(&d, &c, text, sizeof text), "worker is gone"));
	assert_int_equal(h.charged, 0);
}

TEST(restart_follows_each_reaction)
{
	struct policy p = policy_default();
	struct restart_history h = {0};

	p.on_failure = REACTION_STOP;
	p.on_reboot = REACTION_STOP;
	assert_int_equal(decide(CAUSE_WORKER_SIGNAL, DESIRED_RUNNING, &p, 0, 1, &h).verdict,
			 RESTART_SAFE);
	assert_int_equal(decide(CAUSE_WATCHDOG, DESIRED_RUNNING, &p, 0, 1, &h).verdict,
			 RESTART_AGAIN);
	assert_int_equal(decide(CAUSE_REBOOT, DESIRED_RUNNING, &p, 0, 1, &h).verdict, RESTART_STOP);
	assert_int_equal(decide(CAUSE_POWEROFF, DESIRED_RUNNING, &p, 0, 1, &h).verdict,
			 RESTART_STOP);
	assert_int_equal(decide(CAUSE_KILLED, DESIRED_RUNNING, &p, 0, 1, &h).verdict, RESTART_STOP);
}

TEST(restart_after_a_lost_supervisor_is_neither_refused_nor_charged)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_decision d;

	p.on_failure = REACTION_STOP;
	p.restart_budget = 0;
	d = decide(CAUSE_SUPERVISOR_LOST, DESIRED_RUNNING, &p, 0, 1, &h);
	assert_int_equal(d.verdict, RESTART_AGAIN);
	assert_false(d.is_charged);
}

TEST(restart_says_what_follows)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_case c = {CAUSE_TRIPLE_FAULT, DESIRED_RUNNING, &p, 0, 1};
	struct restart_decision d = restart_decide(&c, &h);
	char text[256];

	assert_string_equal(restart_sentence(&d, &c, text, sizeof text),
			    "it will be started again in 500 ms (restart 1 of 5 within 600 s)");
	p.restart_budget = 0;
	h = (struct restart_history){0};
	d = restart_decide(&c, &h);
	assert_non_null(strstr(restart_sentence(&d, &c, text, sizeof text), "spent"));
}

TEST(restart_history_is_carried_over_without_what_was_not_charged)
{
	struct policy p = policy_default();
	struct restart_history h = {0};

	for (uint64_t at = 1; at < 100; at++) {
		restart_replay(&h, &p, CAUSE_REBOOT, at);
		restart_replay(&h, &p, CAUSE_SUPERVISOR_LOST, at);
	}
	assert_int_equal(h.charged, 0);
	restart_replay(&h, &p, CAUSE_WATCHDOG, 100);
	restart_replay(&h, &p, CAUSE_TRIPLE_FAULT, 200);
	assert_int_equal(h.charged, 2);
	restart_replay(&h, &p, CAUSE_TRIPLE_FAULT, 100 + (uint64_t)p.restart_window_ms);
	assert_int_equal(h.charged, 1);
}

TEST(restart_prepares_a_standby_again_whatever_is_said_of_a_guest_within_its_budget)
{
	struct policy p = policy_default();
	struct restart_history h = {0};
	struct restart_case c = {.cause = CAUSE_WORKER_SIGNAL,
				 .desired = DESIRED_STOPPED,
				 .policy = &p,
				 .now_ms = 1,
				 .is_reserve = true};
	struct restart_decision d;
	char text[256];

	p.on_failure = REACTION_STOP;
	p.restart_budget = 1;
	d = restart_decide(&c, &h);
	assert_int_equal(d.verdict, RESTART_AGAIN);
	assert_non_null(strstr(restart_sentence(&d, &c, text, sizeof text), "prepared again"));
	d = restart_decide(&c, &h);
	assert_int_equal(d.verdict, RESTART_GIVE_UP);
	assert_non_null(strstr(restart_sentence(&d, &c, text, sizeof text), "`release` it"));
	c.cause = CAUSE_CONFIGURATION;
	assert_int_equal(restart_decide(&c, &h).verdict, RESTART_SAFE);
}
