/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "tests/unit/test.h"

TEST(str_copy_truncates_and_says_so)
{
	char b[4];

	assert_true(str_copy(b, sizeof b, "abc"));
	assert_false(str_copy(b, sizeof b, "abcd"));
	assert_string_equal(b, "abc");
}

TEST(str_add_never_passes_its_end)
{
	char b[8];
	size_t n = 0;

	for (int i = 0; i < 10; i++)
		str_add(b, sizeof b, &n, "%s", "xyz");
	assert_string_equal(b, "xyzxyzx");
	assert_int_equal(n, 7);
}

TEST(str_distance_counts_edits)
{
	assert_int_equal(str_distance("ram", "ram"), 0);
	assert_int_equal(str_distance("rma", "ram"), 1);
	assert_int_equal(str_distance("strat", "start"), 1);
	assert_int_equal(str_distance("bogus", "logs"), 2);
	assert_int_equal(str_distance("abcd", "dcba"), 3);
	assert_int_equal(str_distance("", "ram"), 3);
	assert_int_equal(str_distance("ser8250", "ser825"), 1);
}

TEST(str_near_is_the_first_with_the_fewest_edits)
{
	struct str_near n = str_near("strated");

	assert_null(n.near);
	assert_int_equal(str_try(&n, "stopped"), 3);
	assert_null(n.near);
	assert_int_equal(str_try(&n, "stated"), 1);
	assert_string_equal(n.near, "stated");
	assert_int_equal(str_try(&n, "rated"), 2);
	assert_int_equal(str_try(&n, "started"), 1);
	assert_int_equal(str_try(&n, "stranded"), 2);
	assert_int_equal(str_try(&n, "strafed"), 1);
	assert_string_equal(n.near, "stated");
	assert_int_equal(str_try(&n, "strated"), 0);
}

TEST(str_near_is_none_beyond_a_third_of_the_word)
{
	struct str_near one = str_near("go"), two = str_near("hosts"),
			short_word = str_near("bogus");
	struct str_near three;
	char many[200] = {0};

	str_try(&one, "no");
	assert_string_equal(one.near, "no");
	one = str_near("go");
	str_try(&one, "set");
	assert_null(one.near);
	str_try(&two, "hook");
	assert_null(two.near);
	str_try(&two, "host");
	assert_string_equal(two.near, "host");
	str_try(&short_word, "logs");
	assert_null(short_word.near);
	/* Nothing of "set" would be left: a longer word does not come near to all. */
	memset(many, 'x', sizeof many - 1);
	three = str_near(many);
	assert_int_equal(str_try(&three, "set"), 64);
	assert_null(three.near);
}

TEST(str_bytes_uses_a_unit_only_when_exact)
{
	char b[24];

	assert_string_equal(str_bytes(0, b), "0");
	assert_string_equal(str_bytes(1023, b), "1023 B");
	assert_string_equal(str_bytes(65536, b), "64K");
	assert_string_equal(str_bytes(UINT64_C(3) << 30, b), "3G");
}

TEST(name_follows_its_pattern)
{
	char longest[NAME_CAP + 1];

	memset(longest, 'a', sizeof longest);
	longest[NAME_CAP - 1] = '\0';
	assert_true(name_is_valid(longest));
	longest[NAME_CAP - 1] = 'a';
	longest[NAME_CAP] = '\0';
	assert_false(name_is_valid(longest));
	assert_true(name_is_valid("0"));
	assert_true(name_is_valid("brake-ctl_2.b"));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid("-x"));
	assert_false(name_is_valid("Brake"));
	assert_false(name_is_valid("a/b"));
}

TEST(clock_writes_rfc_3339)
{
	char b[CLOCK_ISO];

	assert_string_equal(clock_iso(1795416426123, b), "2026-11-23T06:47:06.123Z");
}
