/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/space.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct space ports = {.noun = "port", .last = 0xffff, .is_bus = true};

static struct space_region region(uint64_t base, uint64_t last, const char *name)
{
	struct space_region r = {.base = base, .last = last, .kind = SPACE_VDEV};

	strncpy(r.name, name, sizeof r.name - 1);
	return r;
}

static void add(struct space *s, uint64_t base, uint64_t last, const char *name)
{
	struct space_region r = region(base, last, name);
	struct err e;

	assert_int_equal(space_add(s, &r, &e), 0);
}

TEST(space_finds_first_and_last_address_and_nothing_beside_them)
{
	struct space s = ports;

	add(&s, 0x3f8, 0x3ff, "serial");
	add(&s, 0x70, 0x71, "clock");
	add(&s, 0x400, 0x400, "next");
	assert_null(space_find(&s, 0));
	assert_null(space_find(&s, 0x6f));
	assert_string_equal(space_find(&s, 0x70)->name, "clock");
	assert_string_equal(space_find(&s, 0x71)->name, "clock");
	assert_null(space_find(&s, 0x72));
	assert_null(space_find(&s, 0x3f7));
	assert_string_equal(space_find(&s, 0x3ff)->name, "serial");
	assert_string_equal(space_find(&s, 0x400)->name, "next");
	assert_null(space_find(&s, 0x401));
	assert_null(space_find(&s, UINT64_MAX));
	space_free(&s);
}

TEST(space_holds_regions_at_both_of_its_ends)
{
	struct space s = {.noun = "memory", .last = UINT64_MAX};

	add(&s, UINT64_MAX - 0xfff, UINT64_MAX, "top");
	add(&s, 0, 0, "bottom");
	assert_string_equal(space_find(&s, UINT64_MAX)->name, "top");
	assert_string_equal(space_find(&s, 0)->name, "bottom");
	assert_null(space_find(&s, 1));
	assert_false(space_is_free(&s, UINT64_MAX, 1));
	assert_true(space_is_free(&s, 1, UINT64_MAX - 0x1000));
	assert_false(space_is_free(&s, 1, UINT64_MAX - 0xfff));
	space_free(&s);
}

TEST(space_refuses_an_overlap_and_names_both_owners)
{
	struct space s = ports;
	struct err e = {0};
	static const struct {
		uint64_t base, last;
	} bad[] = {{0x3f8, 0x3ff}, {0x3f0, 0x3f8}, {0x3ff, 0x400}, {0x3fa, 0x3fb}, {0, 0xffff}};

	add(&s, 0x3f8, 0x3ff, "serial");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct space_region r = region(bad[i].base, bad[i].last, "other");

		assert_int_equal(space_add(&s, &r, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "'serial'"));
		assert_non_null(strstr(e.msg, "'other'"));
	}
	assert_int_equal(s.n, 1);
	space_free(&s);
}

TEST(space_refuses_a_region_that_leaves_it)
{
	struct space s = ports;
	struct space_region r = region(0xffff, 0x10000, "far"), turned = region(5, 4, "turned");
	struct err e = {0};

	assert_int_equal(space_add(&s, &r, &e), -1);
	assert_int_equal(space_add(&s, &turned, &e), -1);
	assert_int_equal(s.n, 0);
	space_free(&s);
}

TEST(space_fill_takes_only_what_is_free)
{
	struct space s = ports;
	struct space_region all = region(0x10, 0x4f, "kernel");
	struct err e;

	add(&s, 0x20, 0x21, "a");
	add(&s, 0x40, 0x60, "b");
	assert_int_equal(space_fill(&s, &all, &e), 0);
	assert_string_equal(space_find(&s, 0x10)->name, "kernel");
	assert_string_equal(space_find(&s, 0x1f)->name, "kernel");
	assert_string_equal(space_find(&s, 0x21)->name, "a");
	assert_string_equal(space_find(&s, 0x22)->name, "kernel");
	assert_string_equal(space_find(&s, 0x3f)->name, "kernel");
	assert_string_equal(space_find(&s, 0x4f)->name, "b");
	assert_int_equal(s.n, 4);
	/* Again: nothing is left to take. */
	assert_int_equal(space_fill(&s, &all, &e), 0);
	assert_int_equal(s.n, 4);
	space_free(&s);
}

TEST(space_keeps_order_whatever_the_order_of_adding)
{
	struct space s = ports;

	for (uint64_t i = 0; i < 64; i++)
		add(&s, i * 37 % 64 * 16, i * 37 % 64 * 16 + 7, "r");
	for (unsigned i = 0; i < s.n; i++) {
		assert_int_equal(s.region[i].base, i * 16);
		assert_ptr_equal(space_find(&s, i * 16 + 7), &s.region[i]);
		assert_null(space_find(&s, i * 16 + 8));
	}
	space_free(&s);
}
