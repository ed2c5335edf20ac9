/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/ground.h"

#include "tests/unit/test.h"

static const struct ground_sight sound = {.has_state_dir = true,
					  .can_write_state = true,
					  .has_run_dir = true,
					  .has_kvm = true,
					  .wall_ms = 1000000,
					  .boot_ms = 5000};

TEST(ground_holds_while_nothing_has_given_way)
{
	struct ground_watch w = {0};
	struct ground_sight s = sound;

	for (int i = 0; i < 10; i++) {
		assert_int_equal(ground_judge(&w, &s), GROUND_HOLDS);
		s.wall_ms += 2000;
		s.boot_ms += 2000;
	}
}

TEST(ground_names_the_gravest_of_what_has_given_way)
{
	struct ground_watch w = {0};
	struct ground_sight s = {
		.is_store_damaged = true, .is_store_failing = true, .is_store_busy = true};
	static const enum ground order[] = {
		GROUND_STATE_GONE,    GROUND_STORE_DAMAGED, GROUND_STATE_LOCKED, GROUND_STORE_BUSY,
		GROUND_STORE_FAILING, GROUND_RUN_GONE,	    GROUND_KVM_LOST,	 GROUND_HOLDS};
	size_t i = 0;

	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.has_state_dir = true;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.is_store_damaged = false;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.can_write_state = true;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.is_store_busy = false;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.is_store_failing = false;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.has_run_dir = true;
	assert_int_equal(ground_judge(&w, &s), order[i++]);
	s.has_kvm = true;
	assert_int_equal(ground_judge(&w, &s), order[i]);
}

TEST(ground_notices_a_clock_that_is_set_back_once)
{
	struct ground_watch w = {0};
	struct ground_sight s = sound;

	assert_int_equal(ground_judge(&w, &s), GROUND_HOLDS);
	s.boot_ms += 2000;
	s.wall_ms += 2000 - 60000;
	assert_int_equal(ground_judge(&w, &s), GROUND_CLOCK_BACK);
	s.boot_ms += 2000;
	s.wall_ms += 2000;
	assert_int_equal(ground_judge(&w, &s), GROUND_HOLDS);
}

/* Slewed, or set forward when the network is there: nothing that was recorded is contradicted. */
TEST(ground_takes_a_clock_that_is_set_forward_or_slewed_as_it_is)
{
	struct ground_watch w = {0};
	struct ground_sight s = sound;

	for (int i = 0; i < 10; i++) {
		assert_int_equal(ground_judge(&w, &s), GROUND_HOLDS);
		s.boot_ms += 2000;
		s.wall_ms += 2000 + (i % 2 ? 86400000 : -900);
	}
}
