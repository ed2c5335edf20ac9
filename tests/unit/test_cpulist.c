/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpulist.h"

#include <string.h>

#include "tests/unit/test.h"

TEST(cpulist_reads_numbers_and_ranges_and_writes_them_back)
{
	char text[64];
	cpu_set_t set;
	struct err e;

	assert_int_equal(cpulist_read("5,0,2-3,4", &set, &e), 0);
	assert_int_equal(CPU_COUNT(&set), 5);
	assert_string_equal(cpulist_write(&set, text, sizeof text), "0,2-5");
	assert_int_equal(cpulist_read("1023", &set, &e), 0);
	assert_string_equal(cpulist_write(&set, text, sizeof text), "1023");
}

TEST(cpulist_refuses_what_is_no_list)
{
	static const char *const wrong[] = {"",	    ",",  "1,",	   "1,,2",
					    "-1",   "1-", "3-1",   "1 2",
					    "1024", "a",  "1-2-3", "99999999999999999999"};
	cpu_set_t set;
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(cpulist_read(wrong[i], &set, &e), -1);
}

TEST(cpulist_clusters_are_found_by_their_whole_name)
{
	char clusters[CPULIST_CLUSTERS] = "";
	cpu_set_t set;
	struct err e;

	assert_int_equal(cpulist_add_cluster(clusters, "rt", "2,3", &e), 0);
	assert_int_equal(cpulist_add_cluster(clusters, "r", "0", &e), 0);
	assert_int_equal(cpulist_add_cluster(clusters, "r", "1", &e), -1);
	assert_int_equal(cpulist_add_cluster(clusters, "a b", "1", &e), -1);
	assert_int_equal(cpulist_add_cluster(clusters, "x", "y", &e), -1);
	assert_string_equal(clusters, "rt=2,3 r=0");
	assert_int_equal(cpulist_cluster(clusters, "r", &set, &e), 1);
	assert_true(CPU_ISSET(0, &set));
	assert_int_equal(CPU_COUNT(&set), 1);
	assert_int_equal(cpulist_cluster(clusters, "t", &set, &e), 0);
}
