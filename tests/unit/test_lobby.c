/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections one user may have, and how many are kept for admins. */
#include "api/http/lobby.h"
#include "tests/unit/test.h"

TEST(one_user_may_hold_half_and_the_last_are_kept_for_admins)
{
	assert_true(lobby_has_room(2048, 0, 0));
	assert_true(lobby_has_room(2048, 1023, 1023));
	assert_false(lobby_has_room(2048, 1024, 1024));
	assert_true(lobby_has_room(2048, 0, 2048 - LOBBY_RESERVE - 1));
	assert_false(lobby_has_room(2048, 0, 2048 - LOBBY_RESERVE));
}

TEST(few_connections_in_all_keep_an_eighth)
{
	assert_true(lobby_has_room(64, 31, 55));
	assert_false(lobby_has_room(64, 0, 56));
	assert_false(lobby_has_room(64, 32, 32));
}
