/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes a Range header is for. */
#include "api/http/range.h"
#include "base/auto.h"
#include "tests/unit/test.h"

TEST(range_is_read_as_rfc_9110_has_it)
{
	static const struct {
		const char *text;
		uint64_t size;
		enum range_kind kind;
		uint64_t first, bytes;
	} rows[] = {
		{"bytes=0-0", 10, RANGE_PART, 0, 1},
		{"bytes=3-", 10, RANGE_PART, 3, 7},
		{"bytes=3-5", 10, RANGE_PART, 3, 3},
		{"BYTES=9-", 10, RANGE_PART, 9, 1},
		{"bytes=9-99999999999999999999999999", 10, RANGE_PART, 9, 1},
		{"bytes=-4", 10, RANGE_PART, 6, 4},
		{"bytes=-400", 10, RANGE_PART, 0, 10},
		{"bytes=10-", 10, RANGE_NONE, 0, 0},
		{"bytes=99999999999999999999999999-", 10, RANGE_NONE, 0, 0},
		{"bytes=-0", 10, RANGE_NONE, 0, 0},
		{"bytes=0-", 0, RANGE_NONE, 0, 0},
		{"bytes=-1", 0, RANGE_NONE, 0, 0},
	};

	for (size_t i = 0; i < NELEMS(rows); i++) {
		struct range r;

		assert_int_equal(range_read(rows[i].text, rows[i].size, &r), rows[i].kind);
		if (rows[i].kind != RANGE_PART)
			continue;
		assert_int_equal(r.first, rows[i].first);
		assert_int_equal(r.bytes, rows[i].bytes);
	}
}

TEST(range_that_is_not_understood_is_the_whole)
{
	static const char *const text[] = {"",		 "bytes",	 "bytes=",     "bytes=-",
					   "bytes=5-3",	 "bytes=1-2,4-", "items=0-1",  "bytes= 1-2",
					   "bytes=1-2x", "bytes=--1",	 "bytes=+1-2", "bytes=x-"};
	struct range r;

	for (size_t i = 0; i < NELEMS(text); i++) {
		assert_int_equal(range_read(text[i], 7, &r), RANGE_WHOLE);
		assert_int_equal(r.first, 0);
		assert_int_equal(r.bytes, 7);
	}
}
