/* SPDX-License-Identifier: Apache-2.0 */
#include "api/writer.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct writer page = {1, "uid 0"}, other = {2, "uid 0"}, poster = {0, "uid 7"};

TEST(one_types_until_it_leaves_is_idle_or_is_overruled)
{
	struct writers *all = writers_new();
	struct err e;

	assert_int_equal(writer_take(all, "a", &page, false, 0, &e), 0);
	assert_int_equal(writer_take(all, "b", &other, false, 0, &e), 0);
	assert_int_equal(writer_take(all, "a", &other, false, 1, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(writer_take(all, "a", &page, false, 1000, &e), 0);
	assert_int_equal(writer_take(all, "a", &other, false, WRITER_IDLE_MS + 999, &e), -1);
	assert_int_equal(writer_take(all, "a", &other, false, WRITER_IDLE_MS + 1000, &e), 0);
	assert_int_equal(writer_take(all, "a", &page, true, WRITER_IDLE_MS + 1001, &e), 0);
	writer_leave(all, "a", &other);
	assert_true(writer_is(writer_of(all, "a", WRITER_IDLE_MS + 1002), &page));
	writer_leave(all, "a", &page);
	assert_null(writer_of(all, "a", WRITER_IDLE_MS + 1002));
	writers_free(all);
}

TEST(posts_of_one_caller_are_one_writer_for_a_short_while)
{
	struct writers *all = writers_new();
	struct err e;

	assert_int_equal(writer_take(all, "a", &poster, false, 0, &e), 0);
	assert_int_equal(writer_take(all, "a", &poster, false, 10, &e), 0);
	assert_int_equal(writer_take(all, "a", &page, false, 20, &e), -1);
	assert_non_null(strstr(e.msg, "uid 7 types at the console of 'a'"));
	assert_int_equal(writer_take(all, "a", &page, false, WRITER_POST_MS + 10, &e), 0);
	writers_free(all);
}
