/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/hpet.h"

#include "base/clock.h"
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

enum { AT = 0xfed00000, T0 = AT + 0x100, T1 = AT + 0x120 };
enum { MS_TICKS = 14318 };

static void open_running(struct vdev_bench *b)
{
	vdev_bench_open(b, "hpet");
	vdev_bench_write(b, AT + 0x10, 8, 1);
}

TEST(hpet_says_what_it_has)
{
	struct vdev_bench b;
	struct err e;
	uint64_t cap;

	vdev_bench_open(&b, "hpet");
	cap = vdev_bench_read(&b, AT, 8);
	assert_int_equal(cap >> 32, 69841278); /* 14.318180 MHz in fs */
	assert_int_equal((cap >> 8) & 31, 2);
	assert_int_equal(cap & (1 << 15 | 1 << 13), 1 << 15 | 1 << 13);
	assert_int_equal(hpet_block_id(b.vdev), (uint32_t)cap);
	assert_int_equal(vdev_bench_read(&b, AT + 4, 4), cap >> 32);
	assert_int_equal(vdev_bench_read(&b, T1, 8) >> 32, 1 << 8);
	vdev_bench_close(&b);
	vdev_bench_make(&b, "hpet");
	assert_int_equal(vdev_bench_option(&b, "legacy-free", NULL, &e), 0);
	assert_int_equal(vdev_bench_option(&b, "frequency", "10000000", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "frequency", "9999999", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "intr", "ioapic:2,ioapic:8", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "intr", "ioapic:12", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "intr", "ioapic:24", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "intr", "12", &e), -1);
	cap = vdev_bench_read(&b, AT, 8);
	assert_int_equal(cap >> 32, 100000000);
	assert_int_equal((cap >> 8) & 31, 2);
	assert_int_equal(cap & 1 << 15, 0);
	vdev_bench_close(&b);
}

TEST(hpet_counts_while_it_is_enabled_and_stands_else)
{
	struct vdev_bench b;
	uint64_t first, second;

	vdev_bench_open(&b, "hpet");
	vdev_bench_write(&b, AT + 0xf0, 8, 1000);
	assert_int_equal(vdev_bench_read(&b, AT + 0xf0, 8), 1000);
	vdev_bench_write(&b, AT + 0x10, 4, 1);
	first = vdev_bench_read(&b, AT + 0xf0, 8);
	for (uint64_t end = clock_mono_ns() + 1000000; clock_mono_ns() < end;)
		;
	second = vdev_bench_read(&b, AT + 0xf0, 8);
	assert_true(second >= first + MS_TICKS);
	vdev_bench_write(&b, AT + 0x10, 4, 0);
	first = vdev_bench_read(&b, AT + 0xf0, 8);
	assert_int_equal(vdev_bench_read(&b, AT + 0xf0, 8), first);
	vdev_bench_close(&b);
}

TEST(hpet_one_shot_with_level_raises_its_line_until_the_status_is_cleared)
{
	struct vdev_bench b;
	uint64_t counter;

	open_running(&b);
	counter = vdev_bench_read(&b, AT + 0xf0, 8);
	vdev_bench_write(&b, T1, 8, 1 << 1 | 1 << 2);
	vdev_bench_write(&b, T1 + 8, 8, counter + 100 * MS_TICKS);
	assert_true(b.vdev->alarm_ns > 0);
	assert_int_equal(b.lines, 0);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(b.lines, 1 << 8);
	assert_int_equal(vdev_bench_read(&b, AT + 0x20, 8), 1 << 1);
	vdev_bench_write(&b, AT + 0x20, 4, 1 << 1);
	assert_int_equal(b.lines, 0);
	assert_int_equal(b.vdev->alarm_ns, 0); /* once, and 64 bits come round in centuries */
	vdev_bench_close(&b);
}

TEST(hpet_periodic_timer_goes_on_from_its_last_deadline)
{
	struct vdev_bench b;
	uint64_t counter, cmp;

	open_running(&b);
	counter = vdev_bench_read(&b, AT + 0xf0, 8);
	vdev_bench_write(&b, T0, 8, 1 << 2 | 1 << 3 | 1 << 6);
	vdev_bench_write(&b, T0 + 8, 8, counter + 100 * MS_TICKS);
	vdev_bench_write(&b, T0 + 8, 8, 10 * MS_TICKS);
	assert_int_equal(vdev_bench_read(&b, T0 + 8, 8), counter + 100 * MS_TICKS);
	for (unsigned i = 1; i <= 3; i++) {
		vdev_bench_pass(&b, b.vdev->alarm_ns);
		cmp = vdev_bench_read(&b, T0 + 8, 8);
		assert_int_equal(cmp, counter + (100 + 10 * i) * MS_TICKS);
	}
	vdev_bench_pass(&b, b.vdev->alarm_ns + 25000000); /* late: two are lost, the beat is kept */
	cmp = vdev_bench_read(&b, T0 + 8, 8);
	assert_int_equal((cmp - counter) % (10 * MS_TICKS), 0);
	vdev_bench_write(&b, T0, 8, 0);
	assert_int_equal(b.vdev->alarm_ns, 0);
	vdev_bench_close(&b);
}

TEST(hpet_timer_with_fsb_sends_its_message_in_place_of_its_line)
{
	struct vdev_bench b;

	open_running(&b);
	vdev_bench_write(&b, T0 + 0x10, 8, UINT64_C(0xfee00000) << 32 | 0x41);
	vdev_bench_write(&b, T0, 8, 1 << 2 | 1 << 8 | 1 << 14);
	vdev_bench_write(&b, T0 + 8, 4, (uint32_t)vdev_bench_read(&b, AT + 0xf0, 4) + MS_TICKS);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(b.n_messages, 1);
	assert_int_equal(b.message_address, 0xfee00000);
	assert_int_equal(b.message_data, 0x41);
	assert_int_equal(b.lines, 0);
	assert_true(b.vdev->alarm_ns > 0); /* 32 bits come round in minutes */
	vdev_bench_close(&b);
}

TEST(hpet_that_is_asked_for_too_much_keeps_a_least_gap)
{
	struct vdev_bench b;
	uint64_t before;

	open_running(&b);
	vdev_bench_write(&b, T0, 8, 1 << 2 | 1 << 3 | 1 << 6);
	vdev_bench_write(&b, T0 + 8, 8, 1);
	before = clock_mono_ns();
	vdev_bench_write(&b, AT + 0xf0, 8, 0);
	assert_true(b.vdev->alarm_ns >= before + 20000);
	vdev_bench_close(&b);
}

static void wait_until(struct vdev_bench *b, uint64_t counter)
{
	while (vdev_bench_read(b, AT + 0xf0, 8) < counter)
		;
}

TEST(hpet_period_is_written_in_halves_without_the_comparator)
{
	struct vdev_bench b;
	uint64_t counter;

	open_running(&b);
	counter = vdev_bench_read(&b, AT + 0xf0, 8);
	vdev_bench_write(&b, T0, 8, 1 << 2 | 1 << 3 | 1 << 6);
	vdev_bench_write(&b, T0 + 8, 8, counter + 100 * MS_TICKS);
	vdev_bench_write(&b, T0 + 8, 4, 10 * MS_TICKS);
	vdev_bench_write(&b, T0 + 12, 4, 0);
	assert_int_equal(vdev_bench_read(&b, T0 + 8, 8), counter + 100 * MS_TICKS);
	for (unsigned i = 1; i <= 3; i++) {
		vdev_bench_pass(&b, b.vdev->alarm_ns);
		assert_int_equal(vdev_bench_read(&b, T0 + 8, 8),
				 counter + (100 + 10 * i) * MS_TICKS);
	}
	vdev_bench_close(&b);
}

TEST(hpet_timer_that_shall_not_interrupt_operates_all_the_same)
{
	struct vdev_bench b;
	uint64_t counter, cmp;

	open_running(&b);
	counter = vdev_bench_read(&b, AT + 0xf0, 8);
	vdev_bench_write(&b, T1, 8, 1 << 1);
	vdev_bench_write(&b, T1 + 8, 8, counter + MS_TICKS);
	vdev_bench_write(&b, T0, 8, 1 << 3 | 1 << 6);
	vdev_bench_write(&b, T0 + 8, 8, counter + MS_TICKS);
	vdev_bench_write(&b, T0 + 8, 8, MS_TICKS);
	assert_int_equal(b.vdev->alarm_ns, 0); /* nobody is to be told, so nobody wakes */
	wait_until(&b, counter + 3 * MS_TICKS);
	assert_int_equal(vdev_bench_read(&b, AT + 0x20, 8), 1 << 1);
	assert_int_equal(b.lines, 0);
	cmp = vdev_bench_read(&b, T0 + 8, 8);
	assert_true(cmp > counter + 3 * MS_TICKS && (cmp - counter) % MS_TICKS == 0);
	vdev_bench_write(&b, T1, 8, 1 << 1 | 1 << 2);
	assert_int_equal(b.lines, 1 << 8);
	vdev_bench_write(&b, T1, 8, 1 << 1);
	assert_int_equal(b.lines, 0);
	assert_int_equal(vdev_bench_read(&b, AT + 0x20, 8), 1 << 1);
	vdev_bench_write(&b, T0, 8, 1 << 2 | 1 << 3);
	assert_true(b.vdev->alarm_ns > 0);
	vdev_bench_close(&b);
}

TEST(hpet_comparator_nobody_has_written_is_all_ones_and_never_comes)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "hpet");
	assert_true(vdev_bench_read(&b, T0 + 8, 8) == UINT64_MAX);
	vdev_bench_write(&b, T0, 8, 1 << 1 | 1 << 2);
	vdev_bench_write(&b, AT + 0x10, 8, 1);
	assert_int_equal(b.lines, 0);
	assert_int_equal(b.vdev->alarm_ns, 0);
	vdev_bench_close(&b);
}
