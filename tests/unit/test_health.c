/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/health.h"

#include <string.h>

#include "tests/unit/test.h"

enum { TICK = 500 };

static struct health_watch watch;
static struct policy policy;

static void begin(const struct health_sight *s, uint64_t now_ms)
{
	policy = policy_default();
	health_begin(&watch, s, now_ms);
}

static struct health_verdict look(const struct health_sight *s, uint64_t now_ms)
{
	return health_judge(&watch, &policy, s, TICK, now_ms);
}

static enum health beat(uint64_t beats, uint64_t now_ms)
{
	return look(&(struct health_sight){.beats = beats}, now_ms).worker;
}

/* heartbeat 500 ms, 6 misses: 3000 ms */
TEST(health_of_a_beating_worker_is_healthy)
{
	begin(&(struct health_sight){0}, 1000);
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(beat(i, 1000 + i * TICK), HEALTH_HEALTHY);
}

TEST(health_of_a_silent_worker_is_suspect_then_failed)
{
	struct health_sight s = {.beats = 7};
	struct health_verdict v = {.worker = HEALTH_HEALTHY};
	uint64_t now_ms = 1000;
	int suspects = 0;

	begin(&s, now_ms);
	while (v.worker != HEALTH_FAILED) {
		assert_int_equal(v.cause, CAUSE_NONE);
		now_ms += TICK;
		v = look(&s, now_ms);
		suspects += v.worker == HEALTH_SUSPECT;
		assert_int_equal(v.worker != HEALTH_HEALTHY, v.why[0] != '\0');
		if (now_ms - 1000 < 1500)
			assert_int_equal(v.worker, HEALTH_HEALTHY);
	}
	assert_int_equal(now_ms, 1000 + 3000);
	assert_true(suspects > 0);
	assert_int_equal(v.cause, CAUSE_WORKER_HUNG);
	assert_int_equal(v.process, HEALTH_HEALTHY); /* three signals, never merged */
	assert_int_equal(v.guest, HEALTH_UNKNOWN);
	assert_int_equal(health_overall(&v), HEALTH_FAILED);
}

TEST(health_of_a_suspect_that_beats_again_is_healthy)
{
	begin(&(struct health_sight){.beats = 1}, 0);
	for (uint64_t t = TICK; t < 2500; t += TICK)
		beat(1, t);
	assert_int_equal(beat(1, 2500), HEALTH_SUSPECT);
	assert_int_equal(beat(2, 3000), HEALTH_HEALTHY);
	assert_int_equal(beat(2, 3500), HEALTH_HEALTHY);
}

/* The supervisor was stopped, or the host was: what nobody looked at is nobody's fault. */
TEST(health_does_not_charge_time_in_which_nobody_looked)
{
	struct health_sight s = {.beats = 1, .signs = 1, .out_ns = 5};
	struct health_verdict v;

	begin(&s, 0);
	policy.vcpu_stuck_ms = policy.guest_heartbeat_ms = 3000;
	v = look(&s, 60000);
	assert_int_equal(health_overall(&v), HEALTH_HEALTHY);
	v = look(&s, 60500);
	assert_int_equal(health_overall(&v), HEALTH_HEALTHY);
	for (uint64_t t = 61000; t < 62500; t += TICK)
		v = look(&s, t);
	assert_int_equal(health_overall(&v), HEALTH_SUSPECT);
	v = look(&s, 62500);
	assert_int_equal(v.worker, HEALTH_FAILED);
	assert_int_equal(v.guest, HEALTH_FAILED);
}

/* A counter that a worker turns back is as alive as one that goes on. */
TEST(health_takes_any_change_for_a_beat)
{
	begin(&(struct health_sight){.beats = UINT64_MAX}, 0);
	assert_int_equal(beat(0, 2900), HEALTH_HEALTHY);
	assert_int_equal(beat(UINT64_MAX, 5800), HEALTH_HEALTHY);
}

TEST(health_of_a_vcpu_that_does_not_come_back_is_suspect_then_failed)
{
	struct health_sight s = {.out_ns = 12345, .out_vcpu = 3};
	struct health_verdict v;
	uint64_t t = 0;

	begin(&s, 0);
	policy.vcpu_stuck_ms = 4000;
	do {
		s.beats++; /* the loop is well */
		t += TICK;
		v = look(&s, t);
		assert_int_equal(v.worker, t < 2000   ? HEALTH_HEALTHY
					   : t < 4000 ? HEALTH_SUSPECT
						      : HEALTH_FAILED);
	} while (v.worker != HEALTH_FAILED);
	assert_int_equal(v.cause, CAUSE_VCPU_STUCK);
	assert_non_null(strstr(v.why, "vCPU 3"));
}

/* Busy is not dead: always out, but each time anew. */
TEST(health_of_a_vcpu_that_exits_all_the_time_is_healthy)
{
	struct health_sight s = {.out_ns = 1};

	begin(&s, 0);
	policy.vcpu_stuck_ms = 1000;
	for (uint64_t t = TICK; t < 100 * TICK; t += TICK) {
		s.beats++;
		s.out_ns++;
		assert_int_equal(look(&s, t).worker, HEALTH_HEALTHY);
	}
}

TEST(health_lets_a_vcpu_stay_out_where_the_policy_does)
{
	struct health_sight s = {.out_ns = 1};

	begin(&s, 0);
	policy.vcpu_stuck_ms = 0;
	for (uint64_t t = TICK; t < 100 * TICK; t += TICK) {
		s.beats++;
		assert_int_equal(look(&s, t).worker, HEALTH_HEALTHY);
	}
}

/* An operator shortens it while the guest is quiet: nobody was to know that before. */
TEST(health_gives_a_deadline_that_is_new_from_when_it_is_set)
{
	struct health_sight s = {.out_ns = 1, .signs = 1};
	struct health_verdict v;
	uint64_t t = 0;

	begin(&s, 0);
	policy.vcpu_stuck_ms = policy.guest_heartbeat_ms = 0;
	for (; t < 100 * TICK; t += TICK) {
		s.beats++;
		look(&s, t);
	}
	policy.vcpu_stuck_ms = policy.guest_heartbeat_ms = 4 * TICK;
	health_anew(&watch, t - TICK / 2); /* between two looks, of which the next comes soon */
	s.beats++;
	v = look(&s, t);
	assert_int_equal(v.worker, HEALTH_HEALTHY);
	assert_int_equal(v.guest, HEALTH_HEALTHY);
	for (unsigned i = 0; i < 4; i++) {
		s.beats++;
		v = look(&s, t += TICK);
	}
	assert_int_equal(v.cause, CAUSE_VCPU_STUCK);
	assert_int_equal(v.guest, HEALTH_FAILED);
}

TEST(health_of_a_guest_is_unknown_until_its_first_sign_then_it_has_a_deadline)
{
	struct health_sight s = {0};
	struct health_verdict v;
	uint64_t t = 0;

	begin(&s, 0);
	policy.guest_heartbeat_ms = 2000;
	for (; t < 60000; t += TICK) { /* it boots as long as it likes */
		s.beats++;
		v = look(&s, t);
		assert_int_equal(v.guest, HEALTH_UNKNOWN);
	}
	s.signs = 1;
	assert_int_equal(look(&s, t).guest, HEALTH_HEALTHY);
	for (uint64_t silent = TICK; silent <= 2000; silent += TICK) {
		s.beats++;
		v = look(&s, t + silent);
		assert_int_equal(v.guest, silent < 1000	  ? HEALTH_HEALTHY
					  : silent < 2000 ? HEALTH_SUSPECT
							  : HEALTH_FAILED);
		assert_int_equal(v.worker, HEALTH_HEALTHY);
	}
	assert_int_equal(v.cause, CAUSE_GUEST_SILENT);
}

TEST(health_of_a_guest_is_unknown_where_no_sign_is_expected)
{
	struct health_sight s = {.signs = 5};

	begin(&s, 0);
	for (uint64_t t = TICK; t < 100 * TICK; t += TICK) {
		s.beats++;
		assert_int_equal(look(&s, t).guest, HEALTH_UNKNOWN);
	}
}

TEST(health_charges_no_silence_to_a_guest_that_stands)
{
	struct health_sight s = {.signs = 5, .is_held = true};
	uint64_t t = 0;

	begin(&s, 0);
	policy.guest_heartbeat_ms = 1000;
	for (; t < 100 * TICK; t += TICK) {
		s.beats++;
		assert_int_equal(look(&s, t).guest, HEALTH_HEALTHY);
	}
	s.is_held = false;
	s.beats++;
	assert_int_equal(look(&s, t).guest, HEALTH_SUSPECT);
	s.beats++;
	assert_int_equal(look(&s, t + TICK).guest, HEALTH_FAILED);
}

/* The worst comes first, and a hung worker explains a silent guest. */
TEST(health_tells_the_cause_that_explains_the_others)
{
	struct health_sight s = {.signs = 5, .out_ns = 7};
	struct health_verdict v = {0};

	begin(&s, 0);
	policy.guest_heartbeat_ms = policy.vcpu_stuck_ms = 3000;
	for (uint64_t t = TICK; t <= 3000; t += TICK)
		v = look(&s, t);
	assert_int_equal(v.cause, CAUSE_WORKER_HUNG);
	assert_non_null(strstr(v.why, "has not beaten"));
}

TEST(health_of_an_end_names_the_signal_that_failed)
{
	static const struct {
		enum cause cause;
		enum health process, worker, guest;
	} ends[] = {
		{CAUSE_WORKER_SIGNAL, HEALTH_FAILED, HEALTH_UNKNOWN, HEALTH_UNKNOWN},
		{CAUSE_WORKER_HUNG, HEALTH_UNKNOWN, HEALTH_FAILED, HEALTH_UNKNOWN},
		{CAUSE_VCPU_STUCK, HEALTH_UNKNOWN, HEALTH_FAILED, HEALTH_UNKNOWN},
		{CAUSE_GUEST_SILENT, HEALTH_UNKNOWN, HEALTH_UNKNOWN, HEALTH_FAILED},
		{CAUSE_TRIPLE_FAULT, HEALTH_UNKNOWN, HEALTH_UNKNOWN, HEALTH_FAILED},
	};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct health_verdict v = health_of_end(ends[i].cause, true);

		assert_int_equal(v.process, ends[i].process);
		assert_int_equal(v.worker, ends[i].worker);
		assert_int_equal(v.guest, ends[i].guest);
	}
	/* Whatever is safe has failed in one of them; else nobody is there to be well or ill. */
	for (unsigned c = 0; c < CAUSE_COUNT; c++) {
		struct health_verdict safe = health_of_end((enum cause)c, true);
		struct health_verdict at_rest = health_of_end((enum cause)c, false);

		assert_int_equal(health_overall(&safe), HEALTH_FAILED);
		assert_int_equal(health_overall(&at_rest), HEALTH_UNKNOWN);
	}
}
