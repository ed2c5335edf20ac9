/* SPDX-License-Identifier: Apache-2.0 */
/* How much of answers one peer may leave unread. */
#include "api/http/debt.h"
#include "tests/unit/test.h"

TEST(one_peer_may_leave_so_much_unread_and_all_together_more)
{
	assert_true(debt_has_room(1, 1, DEBT_PEER - 1));
	assert_false(debt_has_room(1, 1, DEBT_PEER));
	assert_true(debt_has_room(1, DEBT_ALL - 5, 5));
	assert_false(debt_has_room(1, DEBT_ALL - 5, 6));
}

TEST(who_leaves_nothing_unread_gets_an_answer_however_long)
{
	assert_true(debt_has_room(0, DEBT_ALL, 2 * (size_t)DEBT_PEER));
}
