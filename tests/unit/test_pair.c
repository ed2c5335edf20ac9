/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/pair.h"

#include "tests/unit/test.h"

/* Whatever is known of the two: never may both start, nor one beside the other's worker. */
TEST(pair_never_lets_both_start)
{
	for (unsigned bits = 0; bits < PAIR_COUNT << 6; bits++) {
		struct pair_view v = {
			.pair = (enum pair)(bits >> 6),
			.primary = {bits & 1, bits & 2, bits & 4},
			.partner = {bits & 8, bits & 16, bits & 32},
		};
		bool primary = pair_may_start(&v, true), partner = pair_may_start(&v, false);

		assert_false(primary && partner);
		if (primary)
			assert_false(v.partner.has_worker || v.partner.is_unfenced);
		if (partner)
			assert_false(v.primary.has_worker || v.primary.is_unfenced);
		if (pair_next(&v) == PAIR_START)
			assert_true(primary || partner);
	}
}

TEST(pair_starts_the_standby_when_the_primary_has_gone_and_not_before)
{
	struct pair_view v = {.pair = PAIR_YIELDING,
			      .primary = {.has_worker = true},
			      .partner = {.is_wanted = true}};

	assert_int_equal(pair_next(&v), PAIR_NOTHING);
	v.primary = (struct pair_side){.is_unfenced = true};
	assert_int_equal(pair_next(&v), PAIR_NOTHING);
	v.primary.is_unfenced = false;
	assert_int_equal(pair_next(&v), PAIR_START);
	assert_int_equal(pair_settled(v.pair), PAIR_PASSIVE);
	v.pair = PAIR_PASSIVE;
	assert_int_equal(pair_next(&v), PAIR_NOTHING);
	assert_false(pair_may_start(&v, true));
}

TEST(pair_gives_back_the_same_way)
{
	struct pair_view v = {.pair = PAIR_RETURNING,
			      .primary = {.is_wanted = true},
			      .partner = {.has_worker = true}};

	assert_int_equal(pair_next(&v), PAIR_NOTHING);
	v.partner.has_worker = false;
	assert_int_equal(pair_next(&v), PAIR_START);
	assert_int_equal(pair_settled(v.pair), PAIR_ACTIVE);
}

TEST(pair_changes_its_role_though_nobody_is_to_run_any_more)
{
	struct pair_view v = {.pair = PAIR_YIELDING, .primary = {.has_worker = true}};

	assert_int_equal(pair_next(&v), PAIR_CALL_OFF);
	assert_int_equal(pair_settled(v.pair), PAIR_PASSIVE);
}

static const struct pair_reserve needed = {.is_warm = true,
					   .is_settled = true,
					   .is_needed = true,
					   .is_free = true,
					   .observed = OBSERVED_STOPPED};

TEST(pair_prepares_the_other_one_while_the_active_one_runs_and_nobody_else)
{
	struct pair_reserve r = needed;

	assert_int_equal(pair_reserve(&r), PAIR_PREPARE);
	for (int i = 0; i < 5; i++) {
		r = needed;
		*(bool *[]){&r.is_warm, &r.is_settled, &r.is_needed, &r.is_free, &r.has_worker}[i] =
			i == 4;
		assert_int_equal(pair_reserve(&r), PAIR_LEAVE);
	}
}

TEST(pair_prepares_one_that_fell_when_its_back_off_is_over_and_not_one_that_was_active)
{
	struct pair_reserve r = needed;

	r.observed = OBSERVED_SAFE;
	assert_int_equal(pair_reserve(&r), PAIR_LEAVE);
	r.is_due = true;
	assert_int_equal(pair_reserve(&r), PAIR_PREPARE);
}

TEST(pair_lets_go_of_what_is_old_or_of_no_use_and_touches_no_guest)
{
	for (int i = 0; i < OBSERVED_COUNT; i++) {
		struct pair_reserve r = needed;
		bool is_held = i == OBSERVED_READY || i == OBSERVED_PREPARING;

		r.observed = (enum observed)i;
		r.has_worker = true;
		assert_int_equal(pair_reserve(&r), PAIR_LEAVE);
		r.is_old = true;
		assert_int_equal(pair_reserve(&r), is_held ? PAIR_STAND_DOWN : PAIR_LEAVE);
		r.is_old = r.is_needed = false;
		assert_int_equal(pair_reserve(&r), is_held ? PAIR_STAND_DOWN : PAIR_LEAVE);
	}
}
