/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/plan.h"

#include <string.h>

#include "base/auto.h"
#include "daemon/config.h"
#include "tests/unit/test.h"

static enum err_code judge(uint64_t ram_bytes, uint64_t rom_bytes, uint64_t wanted_bytes)
{
	static const struct config config = {.memory_budget_bytes = 1 << 30};
	const struct msg_want want[] = {
		{.index = 0, .kind = WANT_RAM, .bytes = wanted_bytes},
		{.index = 1, .kind = WANT_BLACKBOX},
		{.index = 2, .kind = WANT_KVM},
	};
	const struct msg_plan shape = {.n_wants = NELEMS(want),
				       .n_vcpus = 1,
				       .ram_bytes = ram_bytes,
				       .rom_bytes = rom_bytes};
	const struct plan p = {.config = &config,
			       .vm = "one",
			       .shape = &shape,
			       .want = want,
			       .n_wants = NELEMS(want)};
	struct err e = {0};

	if (plan_judge(&p, &e) == 0)
		plan_judge_want(&p, &want[0], &e);
	return (enum err_code)e.code;
}

TEST(plan_whose_memory_is_what_it_wants_is_judged_by_the_budget)
{
	assert_int_equal(judge(1 << 20, 4096, (1 << 20) + 4096), ERR_OK);
	assert_int_equal(judge(2ULL << 30, 0, 2ULL << 30), ERR_RESOURCE);
}

/* Its plan is what the budget of all others is reckoned with, once it runs. */
TEST(plan_that_names_less_memory_than_it_wants_is_refused)
{
	assert_int_equal(judge(0, 0, 1 << 20), ERR_PROTOCOL);
	assert_int_equal(judge(1 << 20, 0, (1 << 20) + 4096), ERR_PROTOCOL);
	assert_int_equal(judge(UINT64_MAX - 4095, (1 << 20) + 4096, 1 << 20), ERR_PROTOCOL);
}

TEST(plan_with_a_priority_that_the_host_does_not_permit_is_refused)
{
	const struct config config = {.memory_budget_bytes = 1 << 30, .max_priority = 9};
	const struct msg_want want[] = {
		{.index = 0, .kind = WANT_RAM, .bytes = 1 << 20},
		{.index = 1, .kind = WANT_BLACKBOX},
		{.index = 2, .kind = WANT_KVM},
	};
	struct msg_plan shape = {
		.n_wants = NELEMS(want), .n_vcpus = 1, .ram_bytes = 1 << 20, .max_priority = 10};
	const struct plan p = {.config = &config,
			       .vm = "one",
			       .shape = &shape,
			       .want = want,
			       .n_wants = NELEMS(want)};
	struct err e = {0};

	assert_int_equal(plan_judge(&p, &e), -1);
	assert_non_null(strstr(e.msg, "max-priority"));
	shape.max_priority = 9;
	assert_int_equal(plan_judge(&p, &e), 0);
}
