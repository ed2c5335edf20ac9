/* SPDX-License-Identifier: Apache-2.0 */
#include "base/partition.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

TEST(partitions_are_added_and_found_by_their_whole_name)
{
	char all[PARTITION_TEXT] = "";
	struct partition p;
	struct err e;

	assert_int_equal(partition_add(all, "rt", "400 150%", &e), 0);
	assert_int_equal(partition_add(all, "r", "50", &e), 0);
	assert_string_equal(all, "rt=400/150 r=50");
	assert_int_equal(partition_find(all, "r", &p), 1);
	assert_int_equal(p.weight, 50);
	assert_int_equal(p.percent, 0);
	assert_int_equal(partition_find(all, "rt", &p), 1);
	assert_int_equal(p.weight, 400);
	assert_int_equal(p.percent, 150);
	assert_int_equal(partition_find(all, "t", &p), 0);
	assert_int_equal(partition_find(all, "", &p), 0);
	assert_int_equal(partition_find("", "rt", &p), 0);
}

TEST(a_partition_that_is_none_is_refused_and_changes_nothing)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{"rt", "5"},	      {"a-b", "5"},
		{"a.b", "5"},	      {"", "5"},
		{"A", "5"},	      {"x", ""},
		{"x", "0"},	      {"x", "10001"},
		{"x", "5 0%"},	      {"x", "5 100001%"},
		{"x", "5 50"},	      {"x", "5%"},
		{"x", "-5"},	      {"x", "5 50% 2"},
		{"x", "five"},	      {"x", "5 50 %x"},
		{"x", "99999999999"}, {"a_name_that_is_as_long_as_nobody_needs", "5"},
	};
	char all[PARTITION_TEXT] = "rt=400";
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(partition_add(all, wrong[i].name, wrong[i].value, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
	}
	assert_string_equal(all, "rt=400");
}

TEST(partitions_are_as_many_as_find_room)
{
	char all[PARTITION_TEXT] = "", name[16];
	struct partition p;
	struct err e;
	int n = 0;

	while (snprintf(name, sizeof name, "p%d", n) > 0 &&
	       partition_add(all, name, "100 100%", &e) == 0)
		n++;
	assert_non_null(strstr(e.msg, "take more than"));
	assert_int_equal(partition_find(all, name, &p), 0);
	snprintf(name, sizeof name, "p%d", n - 1);
	assert_int_equal(partition_find(all, name, &p), 1);
	assert_int_equal(p.percent, 100);
}
