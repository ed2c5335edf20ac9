/* SPDX-License-Identifier: Apache-2.0 */
/* Rates from two answers about what VMs take. */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/field.h"
#include "client/show/usage.h"
#include "tests/unit/test.h"

static json_t *answer(const char *text)
{
	json_t *j;
	struct err e;

	assert_int_equal(field_parse(text, strlen(text), &j, &e), 0);
	return j;
}

#define VM(name, generation, cpu_ms, exits)                                                        \
	"{\"vm\":\"" name "\",\"pid\":7,\"vcpus\":1,\"generation\":" #generation                   \
	",\"cpu_ms\":" #cpu_ms ",\"exits\":" #exits "}"

TEST(usage_rates_are_of_the_same_worker_and_the_servers_clock)
{
	AUTO_JSON json_t *before = answer("{\"clock_ms\":1000,\"vms\":[" VM("a", 1, 100, 10) "," VM(
		"b", 1, 900, 90) "," VM("gone", 1, 1, 1) "]}");
	AUTO_JSON json_t *now = answer("{\"clock_ms\":3000,\"vms\":[" VM("a", 1, 1100, 110) "," VM(
		"b", 2, 950, 95) "," VM("c", 1, 5, 5) ",{\"vm\":\"idle\",\"pid\":0}]}");
	struct usage u;

	usage_make(before, now, false, &u);
	assert_int_equal(u.n, 3);
	assert_int_equal(u.n_idle, 1);
	assert_true(u.row[0].cpu > 49.9 && u.row[0].cpu < 50.1);
	assert_true(u.row[0].exits > 49.9 && u.row[0].exits < 50.1);
	assert_true(u.row[1].cpu < 0 && u.row[2].exits < 0); /* another worker; a new VM */
	usage_free(&u);
	usage_make(NULL, now, true, &u);
	assert_int_equal(u.n, 4);
	assert_true(u.row[0].cpu < 0);
	usage_free(&u);
	usage_make(now, now, false, &u); /* no time has passed */
	assert_true(u.row[0].cpu < 0);
	usage_free(&u);
}

TEST(usage_is_sorted_by_each_key_then_by_name)
{
	struct usage_row row[] = {{.vm = "b", .cpu = 5, .exits = 1, .memory = 3, .uptime_ms = 1},
				  {.vm = "a", .cpu = 5, .exits = 2, .memory = 4, .uptime_ms = 3},
				  {.vm = "c", .cpu = -1, .exits = 3, .memory = 2, .uptime_ms = 2}};
	static const struct {
		enum usage_key key;
		const char *order;
	} want[] = {{USAGE_CPU, "abc"},
		    {USAGE_EXITS, "cab"},
		    {USAGE_MEMORY, "abc"},
		    {USAGE_NAME, "abc"},
		    {USAGE_UPTIME, "acb"}};
	struct usage u = {.row = row, .n = NELEMS(row)};

	for (size_t i = 0; i < NELEMS(want); i++) {
		usage_sort(&u, want[i].key, false);
		for (size_t r = 0; r < u.n; r++)
			assert_int_equal(u.row[r].vm[0], want[i].order[r]);
		usage_sort(&u, want[i].key, true);
		for (size_t r = 0; r < u.n; r++)
			assert_int_equal(u.row[r].vm[0], want[i].order[u.n - 1 - r]);
	}
	assert_int_equal(usage_key_of("memory"), USAGE_MEMORY);
	assert_int_equal(usage_key_of("size"), USAGE_KEYS);
	assert_int_equal(usage_key_of_letter('e'), USAGE_EXITS);
	assert_int_equal(usage_key_of_letter('q'), USAGE_KEYS);
}
