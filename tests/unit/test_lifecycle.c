/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/lifecycle.h"

#include <string.h>

#include "tests/unit/test.h"

TEST(lifecycle_refuses_and_lists_what_is_allowed)
{
	struct err e;

	assert_null(lifecycle_find(OBSERVED_RUNNING, VM_EVENT_DELETE, &e));
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.msg, "delete is not possible while the VM is running; allowed now: "
				   "start, pause, resume, "
				   "stop, kill, dump, button, nmi, reset-budget");
}

TEST(lifecycle_finds_a_step_by_its_own_row)
{
	struct err e;
	const struct lifecycle_step *a = lifecycle_find(OBSERVED_STOPPED, VM_EVENT_START, &e);
	const struct lifecycle_step *b = lifecycle_find(OBSERVED_SAFE, VM_EVENT_START, &e);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->to, OBSERVED_STARTING);
	assert_int_equal(b->to, OBSERVED_STARTING);
	assert_int_not_equal(a->row, b->row);
}

TEST(lifecycle_says_no_twice_to_nothing)
{
	for (int from = 0; from < OBSERVED_COUNT; from++) {
		for (int event = 0; event < VM_EVENT_COUNT; event++) {
			struct err e;
			const struct lifecycle_step *s =
				lifecycle_find((enum observed)from, (enum vm_event)event, &e);

			if (s) {
				assert_int_equal(s->from, from);
				assert_int_equal(s->event, event);
			}
		}
	}
}

/* Whatever has a worker can end and be ended. */
TEST(lifecycle_settles_every_state_that_has_a_worker)
{
	static const enum observed with_worker[] = {OBSERVED_STARTING, OBSERVED_RUNNING,
						    OBSERVED_PAUSED, OBSERVED_STOPPING};
	static const enum vm_event must[] = {VM_EVENT_STOP, VM_EVENT_KILL, VM_EVENT_ENDED,
					     VM_EVENT_FAILED};
	struct err e;

	for (size_t i = 0; i < sizeof with_worker / sizeof *with_worker; i++)
		for (size_t j = 0; j < sizeof must / sizeof *must; j++)
			assert_non_null(lifecycle_find(with_worker[i], must[j], &e));
}

/* A stop that is under way is not turned into anything else by what happens meanwhile. */
TEST(lifecycle_leads_from_stopping_to_stopped_only)
{
	for (int event = 0; event < VM_EVENT_COUNT; event++) {
		struct err e;
		const struct lifecycle_step *s =
			lifecycle_find(OBSERVED_STOPPING, (enum vm_event)event, &e);

		if (s)
			assert_true(s->to == OBSERVED_STOPPING || s->to == OBSERVED_STOPPED);
	}
}
