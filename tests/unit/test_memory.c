/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/memory.h"

#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "tests/unit/test.h"
#include "vmm/boot/layout.h"
#include "vmm/conf/board.h"

static uint8_t bytes[0x20000];

/* RAM 0..0x4000, ROM 0x4000..0x6000, RAM 0x10000..0x18000 in two pieces, RAM 0x1f000..0x20000. */
static const struct board_memory board[] = {
	{.gpa = 0, .bytes = 0x4000},	   {.gpa = 0x4000, .bytes = 0x2000, .is_rom = true},
	{.gpa = 0x10000, .bytes = 0x1000}, {.gpa = 0x11000, .bytes = 0x7000},
	{.gpa = 0x1f000, .bytes = 0x1000},
};

TEST(memory_at_is_null_outside_and_over_an_end)
{
	struct memory m;

	memory_over(&m, board, NELEMS(board), bytes);
	assert_ptr_equal(memory_at(&m, 0, 0x4000), bytes);
	assert_null(memory_at(&m, 0, 0x4001)); /* RAM next to ROM stays two ranges */
	assert_ptr_equal(memory_at(&m, 0x5fff, 1), bytes + 0x5fff);
	assert_null(memory_at(&m, 0x6000, 1));
	assert_null(memory_at(&m, 0xffff, 2));
	assert_null(memory_at(&m, UINT64_MAX, 1));
	assert_null(memory_at(&m, 1, UINT64_MAX));
	assert_null(memory_at(&m, 0x1ffff, 2));
	assert_ptr_equal(memory_at(&m, 0x1ffff, 1), bytes + 0xefff);
	memory_unmap(&m);
}

TEST(memory_ranges_that_touch_are_one)
{
	struct memory m;

	memory_over(&m, board, NELEMS(board), bytes);
	assert_int_equal(m.n, 4);
	assert_ptr_equal(memory_at(&m, 0x10000, 0x8000), bytes + 0x6000);
	assert_int_equal(memory_range_of(&m, 0x17fff)->gpa, 0x10000);
	memory_unmap(&m);
}

TEST(memory_is_mapped_only_from_a_sealed_memfd_of_its_size)
{
	AUTO_FD int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct board_memory one = {.gpa = 0, .bytes = 0x3000};
	struct memory m = {0};
	struct err e = {0};

	assert_int_equal(ftruncate(fd, 0x3000), 0);
	assert_int_equal(memory_map(&m, &one, 1, fd, &e), -1); /* could be cut under us */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(memory_map(&m, &one, 1, fd, &e), 0);
	memory_unmap(&m);
	one.bytes = 0x4000;
	assert_int_equal(memory_map(&m, &one, 1, fd, &e), -1);
	assert_int_equal(memory_map(&m, &one, 0, fd, &e), -1);
	assert_non_null(strstr(e.msg, "add `ram"));
}

TEST(layout_refuses_what_overlaps_or_leaves_memory)
{
	struct memory m;
	struct layout l = {.memory = &m};
	struct err e = {0};

	memory_over(&m, board, NELEMS(board), bytes);
	assert_int_equal(layout_take(&l, 0x1000, 0x1000, "first", NULL, &e), 0);
	assert_int_equal(layout_take(&l, 0x1fff, 2, "second", NULL, &e), -1);
	assert_non_null(strstr(e.msg, "'first'"));
	assert_int_equal(layout_take(&l, 0xfff, 2, "second", NULL, &e), -1);
	assert_int_equal(layout_take(&l, 0x2000, 1, "second", NULL, &e), 0);
	assert_int_equal(layout_take(&l, 0x6000, 1, "nowhere", NULL, &e), -1);
	assert_non_null(strstr(e.msg, "no memory"));
	assert_int_equal(layout_take(&l, 0x3000, UINT64_MAX, "huge", NULL, &e), -1);
	assert_non_null(strstr(e.msg, "make it longer"));
	layout_free(&l);
	memory_unmap(&m);
}

TEST(layout_low_leaves_page_0_and_skips_rom_and_what_is_taken)
{
	struct memory m;
	struct layout l = {.memory = &m};
	struct err e;
	uint64_t gpa = 0;

	memory_over(&m, board, NELEMS(board), bytes);
	assert_int_equal(layout_take_low(&l, 0x10, "a", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x1000);
	assert_int_equal(layout_take_low(&l, 0x2000, "b", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x2000);
	assert_int_equal(layout_take_low(&l, 0x1000, "c", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x10000);
	assert_int_equal(layout_take_low(&l, 0x8000, "d", &gpa, NULL, &e), -1);
	layout_free(&l);
	memory_unmap(&m);
}

TEST(layout_high_ends_below_its_limit)
{
	struct memory m;
	struct layout l = {.memory = &m};
	struct err e;
	uint64_t gpa = 0;

	memory_over(&m, board, NELEMS(board), bytes);
	assert_int_equal(layout_take_high(&l, 0x800, UINT64_MAX, "a", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x1f000);
	assert_int_equal(layout_take_high(&l, 0x800, 0x12345, "b", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x11000);
	assert_int_equal(layout_take_high(&l, 0x800, 0x11000, "c", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x10000);
	assert_int_equal(layout_take_high(&l, 0x3000, 0x10000, "d", &gpa, NULL, &e), 0);
	assert_int_equal(gpa, 0x1000);
	assert_int_equal(layout_take_high(&l, 1, 0x10000, "e", &gpa, NULL, &e), -1);
	assert_int_equal(layout_take_high(&l, 1, 0, "f", &gpa, NULL, &e), -1);
	layout_free(&l);
	memory_unmap(&m);
}
