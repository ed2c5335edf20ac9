/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>

#include "vmm/vdev/vdev.h"

enum { STATUS = 0x600, ENABLE = 0x602, CONTROL = 0x604, TIMER = 0x608 };
enum { BUTTON = 0x100, S5 = 5 << 10, SLP_EN = 0x2000 };

TEST(pm_soft_off_ends_the_vm)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pm");
	assert_int_equal(vdev_bench_read(&b, CONTROL, 2), 1); /* ACPI mode */
	vdev_bench_write(&b, CONTROL, 2, S5);
	assert_int_equal(b.n_ends, 0);
	assert_int_equal(vdev_bench_read(&b, CONTROL, 2), S5 | 1);
	vdev_bench_write(&b, CONTROL, 2, S5 | SLP_EN);
	assert_int_equal(b.n_ends, 1);
	assert_int_equal(b.end.cause, CAUSE_POWEROFF);
	assert_string_equal(b.end.detail, "ACPI S5");
	assert_int_equal(vdev_bench_read(&b, CONTROL, 2) & SLP_EN, 0);
	vdev_bench_close(&b);
}

TEST(pm_soft_off_works_byte_by_byte)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pm");
	vdev_bench_write(&b, CONTROL, 1, 1);
	vdev_bench_write(&b, CONTROL + 1, 1, (S5 | SLP_EN) >> 8);
	assert_int_equal(b.n_ends, 1);
	vdev_bench_close(&b);
}

TEST(pm_other_sleep_types_are_ignored)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pm");
	vdev_bench_write(&b, CONTROL, 2, 1 << 10 | SLP_EN);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(pm_button_is_heard_only_when_enabled)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pm");
	assert_false(b.vdev->class->button(b.vdev));
	assert_false(b.line);
	assert_int_equal(vdev_bench_read(&b, STATUS, 2), BUTTON);
	vdev_bench_write(&b, STATUS, 2, BUTTON);
	vdev_bench_write(&b, ENABLE, 2, 0xffff);
	assert_int_equal(vdev_bench_read(&b, ENABLE, 2), 0x521);
	assert_false(b.line);
	assert_true(b.vdev->class->button(b.vdev));
	assert_true(b.line);
	vdev_bench_write(&b, STATUS, 2, BUTTON);
	assert_false(b.line);
	assert_int_equal(vdev_bench_read(&b, STATUS, 2), 0);
	vdev_bench_close(&b);
}

TEST(pm_registers_answer_in_parts_and_as_a_whole)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pm");
	b.vdev->class->button(b.vdev);
	vdev_bench_write(&b, ENABLE + 1, 1, 0x01);
	assert_int_equal(vdev_bench_read(&b, STATUS, 4), 0x01000100);
	assert_int_equal(vdev_bench_read(&b, STATUS + 1, 1), 0x01);
	assert_true(b.line);
	vdev_bench_write(&b, STATUS, 4, 0x00000100); /* clears both: status by 1, enable by 0 */
	assert_int_equal(vdev_bench_read(&b, STATUS, 4), 0);
	assert_false(b.line);
	vdev_bench_close(&b);
}

TEST(pm_timer_runs_and_takes_no_write)
{
	struct vdev_bench b;
	uint32_t before, after;

	vdev_bench_open(&b, "pm");
	before = (uint32_t)vdev_bench_read(&b, TIMER, 4);
	vdev_bench_write(&b, TIMER, 4, 0);
	do
		after = (uint32_t)vdev_bench_read(&b, TIMER, 4);
	while (after == before);
	assert_true(after - before < 3579545u * 60);
	vdev_bench_close(&b);
}
