/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests each may send. */
#include <stdio.h>

#include "api/http/quota.h"
#include "tests/unit/test.h"

enum { RATE_MOST = 100000, BURST_MOST = 1000000 }; /* of qvmd.conf */

static unsigned taken(struct quotas *q, const char *who, uint64_t now_ms)
{
	unsigned n = 0;

	while (quotas_take(q, who, QUOTA_COMMON, now_ms) == 0)
		n++;
	return n;
}

TEST(a_burst_is_let_through_and_then_so_many_a_second)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 2, .burst = 5});

	assert_int_equal(taken(q, "a", 1000), 5);
	assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 1000), 1);
	assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 1499), 1);
	assert_int_equal(taken(q, "a", 1500), 1);
	assert_int_equal(taken(q, "a", 2500), 2);
	assert_int_equal(taken(q, "a", 3600000), 5); /* and no more than a burst is saved up */
	quotas_free(q);
}

TEST(what_is_refused_takes_nothing_and_the_wait_is_enough)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 1, .burst = 1});

	assert_int_equal(taken(q, "a", 0), 1);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 1), 1);
	assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 1000), 0);
	quotas_free(q);
}

TEST(askers_and_kinds_have_buckets_of_their_own)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 1, .burst = 3});

	assert_int_equal(taken(q, "a", 0), 3);
	assert_int_equal(quotas_take(q, "a", QUOTA_ENDS, 0), 0);
	assert_int_equal(taken(q, "b", 0), 3);
	assert_int_equal(quotas_take(q, "a", QUOTA_ENDS, 0), 0);
	assert_int_equal(quotas_take(q, "a", QUOTA_ENDS, 0), 0);
	assert_int_equal(quotas_take(q, "a", QUOTA_ENDS, 0), 1);
	quotas_free(q);
}

TEST(without_a_rate_there_is_no_limit)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 0, .burst = 1});

	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 7), 0);
	quotas_free(q);
}

TEST(the_most_that_may_be_set_is_reckoned_without_overflow)
{
	struct quotas *q =
		quotas_new(&(struct quota_rate){.per_s = RATE_MOST, .burst = BURST_MOST});

	assert_int_equal(taken(q, "fast", UINT32_MAX), BURST_MOST);
	assert_int_equal(taken(q, "fast", (uint64_t)UINT32_MAX + 1000), RATE_MOST);
	quotas_free(q);
	q = quotas_new(&(struct quota_rate){.per_s = 1, .burst = BURST_MOST});
	assert_int_equal(taken(q, "slow", 0), BURST_MOST);
	assert_int_equal(quotas_take(q, "slow", QUOTA_COMMON, 0), 1);
	quotas_free(q);
}

TEST(a_clock_that_was_set_back_costs_no_more_than_a_full_bucket)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 1, .burst = 4});

	assert_int_equal(taken(q, "a", 1000000), 4);
	assert_int_equal(quotas_take(q, "a", QUOTA_COMMON, 10), 1);
	assert_int_equal(taken(q, "a", 4010), 4);
	quotas_free(q);
}

TEST(whoever_finds_no_place_shares_one_and_a_full_bucket_makes_room)
{
	struct quotas *q = quotas_new(&(struct quota_rate){.per_s = 1, .burst = 2});
	char who[QUOTA_WHO];

	for (unsigned i = 0; i < QUOTA_MOST; i++) {
		snprintf(who, sizeof who, "%u", i);
		assert_int_equal(quotas_take(q, who, QUOTA_ENDS, 1000), 0);
	}
	assert_int_equal(taken(q, "late", 1000), 2);
	assert_int_equal(taken(q, "later", 1000), 0);
	assert_int_equal(taken(q, "7", 1000), 2);     /* who has a place has it for itself */
	assert_int_equal(taken(q, "later", 2000), 2); /* the first one's is full by now */
	assert_int_equal(quotas_take(q, "7", QUOTA_COMMON, 2000), 0);
	assert_int_equal(quotas_take(q, "7", QUOTA_COMMON, 2000), 1);
	quotas_free(q);
}
