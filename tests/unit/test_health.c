/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/health.h"

#include "tests/unit/test.h"

enum { TICK = 500 };

/* heartbeat 500 ms, 6 misses: 3000 ms */
TEST(health_of_a_beating_worker_is_healthy)
{
	struct policy p = policy_default();
	struct health_watch h;

	health_begin(&h, 0, 1000);
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(health_judge(&h, &p, i, TICK, 1000 + i * TICK), HEALTH_HEALTHY);
}

TEST(health_of_a_silent_worker_is_suspect_then_failed)
{
	struct policy p = policy_default();
	struct health_watch h;
	uint64_t now_ms = 1000;
	int suspects = 0;
	enum health verdict = HEALTH_HEALTHY;

	health_begin(&h, 7, now_ms);
	while (verdict != HEALTH_FAILED) {
		now_ms += TICK;
		verdict = health_judge(&h, &p, 7, TICK, now_ms);
		suspects += verdict == HEALTH_SUSPECT;
		if (now_ms - 1000 < 1500)
			assert_int_equal(verdict, HEALTH_HEALTHY);
	}
	assert_int_equal(now_ms, 1000 + 3000);
	assert_true(suspects > 0);
}

TEST(health_of_a_suspect_that_beats_again_is_healthy)
{
	struct policy p = policy_default();
	struct health_watch h;

	health_begin(&h, 1, 0);
	for (uint64_t t = TICK; t < 2500; t += TICK)
		health_judge(&h, &p, 1, TICK, t);
	assert_int_equal(health_judge(&h, &p, 1, TICK, 2500), HEALTH_SUSPECT);
	assert_int_equal(health_judge(&h, &p, 2, TICK, 3000), HEALTH_HEALTHY);
	assert_int_equal(health_judge(&h, &p, 2, TICK, 3500), HEALTH_HEALTHY);
}

/* The supervisor was stopped, or the host was: what nobody looked at is not the worker's fault. */
TEST(health_does_not_charge_time_in_which_nobody_looked)
{
	struct policy p = policy_default();
	struct health_watch h;

	health_begin(&h, 1, 0);
	assert_int_equal(health_judge(&h, &p, 1, TICK, 60000), HEALTH_HEALTHY);
	assert_int_equal(health_judge(&h, &p, 1, TICK, 60500), HEALTH_HEALTHY);
	for (uint64_t t = 61000; t < 63000; t += TICK)
		health_judge(&h, &p, 1, TICK, t);
	assert_int_equal(health_judge(&h, &p, 1, TICK, 63000), HEALTH_FAILED);
}

/* A counter that a worker turns back is as alive as one that goes on. */
TEST(health_takes_any_change_for_a_beat)
{
	struct policy p = policy_default();
	struct health_watch h;

	health_begin(&h, UINT64_MAX, 0);
	assert_int_equal(health_judge(&h, &p, 0, TICK, 2900), HEALTH_HEALTHY);
	assert_int_equal(health_judge(&h, &p, UINT64_MAX, TICK, 5800), HEALTH_HEALTHY);
}
