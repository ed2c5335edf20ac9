/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <linux/pci_regs.h>

#include "base/clock.h"
#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"

enum { CONFIG = 0x60, LOCK = 0x68, TIMER_1 = 0x0, TIMER_2 = 0x4, GINTSR = 0x8, RELOAD = 0xc };
enum { INTERRUPT_OFF = 3, NO_OUTPUT = 0x20, ENABLE = 2, LOCKED = 1, FREE_RUNNING = 4 };
enum { RELOAD_NOW = 0x100, TIMED_OUT = 0x200 };
/* A tick of 33 MHz / 2^15. */
#define TICKS_NS(n) ((uint64_t)(n)*32768 * 1000 / 33)

static void write16(struct vdev_bench *b, unsigned offset, uint32_t value)
{
	b->vdev->class->write(b->vdev, 0, offset, 2, value);
}

static void unlock(struct vdev_bench *b)
{
	write16(b, RELOAD, 0x80);
	write16(b, RELOAD, 0x86);
}

static void set_timer(struct vdev_bench *b, unsigned offset, uint32_t ticks)
{
	unlock(b);
	b->vdev->class->write(b->vdev, 0, offset, 4, ticks - 1);
}

static void feed(struct vdev_bench *b)
{
	unlock(b);
	write16(b, RELOAD, RELOAD_NOW);
}

static uint64_t reads(struct vdev_bench *b, unsigned offset)
{
	return b->vdev->class->read(b->vdev, 0, offset, 2);
}

/* As Linux's driver starts it: 1024 and 512 ticks. */
static void start(struct vdev_bench *b, uint32_t config, uint32_t lock)
{
	vdev_bench_open(b, "i6300esb");
	pci_function_write(b->vdev->pci, CONFIG, 2, config);
	set_timer(b, TIMER_1, 1024);
	set_timer(b, TIMER_2, 512);
	assert_int_equal(b->vdev->alarm_ns, 0);
	pci_function_write(b->vdev->pci, LOCK, 1, lock);
}

TEST(i6300esb_bites_after_both_stages_and_not_before)
{
	struct vdev_bench b;
	uint64_t before = clock_mono_ns(), deadline;

	start(&b, INTERRUPT_OFF, ENABLE);
	deadline = b.vdev->alarm_ns;
	assert_in_range(deadline, before + TICKS_NS(1024), clock_mono_ns() + TICKS_NS(1024));
	vdev_bench_pass(&b, deadline);
	assert_int_equal(b.n_ends, 0);
	assert_int_equal(b.vdev->alarm_ns, deadline + TICKS_NS(512));
	assert_int_equal(reads(&b, GINTSR), 0);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(b.n_ends, 1);
	assert_int_equal(b.end.cause, CAUSE_WATCHDOG);
	assert_string_equal(b.end.detail, "i6300esb was not fed for 1525 ms");
	vdev_bench_close(&b);
}

TEST(i6300esb_counts_faster_with_the_other_prescaler)
{
	struct vdev_bench b;
	uint64_t before = clock_mono_ns();

	start(&b, INTERRUPT_OFF | 4, ENABLE);
	assert_in_range(b.vdev->alarm_ns, before + TICKS_NS(1), clock_mono_ns() + TICKS_NS(1));
	vdev_bench_close(&b);
}

TEST(i6300esb_is_fed_in_either_stage_but_only_unlocked)
{
	struct vdev_bench b;
	uint64_t deadline;

	start(&b, INTERRUPT_OFF, ENABLE);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	deadline = b.vdev->alarm_ns;
	write16(&b, RELOAD, RELOAD_NOW);
	write16(&b, RELOAD, 0x86);
	write16(&b, RELOAD, RELOAD_NOW);
	write16(&b, RELOAD, 0x80);
	write16(&b, RELOAD, 0x80);
	write16(&b, RELOAD, RELOAD_NOW);
	assert_int_equal(b.vdev->alarm_ns, deadline);
	feed(&b);
	assert_int_not_equal(b.vdev->alarm_ns, deadline);
	vdev_bench_pass(&b, b.vdev->alarm_ns); /* stage one again */
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(i6300esb_is_stopped_unless_it_is_locked)
{
	struct vdev_bench b;

	start(&b, INTERRUPT_OFF, ENABLE);
	pci_function_write(b.vdev->pci, LOCK, 1, 0);
	assert_int_equal(b.vdev->alarm_ns, 0);
	feed(&b);
	assert_int_equal(b.vdev->alarm_ns, 0);
	pci_function_write(b.vdev->pci, LOCK, 1, ENABLE | LOCKED);
	assert_int_not_equal(b.vdev->alarm_ns, 0);
	pci_function_write(b.vdev->pci, LOCK, 1, 0);
	assert_int_equal(pci_function_read(b.vdev->pci, LOCK, 1), ENABLE | LOCKED);
	assert_int_not_equal(b.vdev->alarm_ns, 0);
	vdev_bench_close(&b);
}

TEST(i6300esb_without_output_only_says_that_time_is_over)
{
	struct vdev_bench b;

	start(&b, INTERRUPT_OFF | NO_OUTPUT, ENABLE);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(b.n_ends, 0);
	assert_int_equal(b.vdev->alarm_ns, 0);
	assert_int_equal(reads(&b, RELOAD), TIMED_OUT);
	unlock(&b);
	write16(&b, RELOAD, TIMED_OUT);
	assert_int_equal(reads(&b, RELOAD), 0);
	vdev_bench_close(&b);
}

TEST(i6300esb_running_free_has_the_second_stage_only_again_and_again)
{
	struct vdev_bench b;
	uint64_t before = clock_mono_ns();

	start(&b, INTERRUPT_OFF | NO_OUTPUT, ENABLE | FREE_RUNNING);
	assert_in_range(b.vdev->alarm_ns, before + TICKS_NS(512), clock_mono_ns() + TICKS_NS(512));
	for (int i = 0; i < 3; i++) {
		uint64_t now = b.vdev->alarm_ns;

		vdev_bench_pass(&b, now);
		assert_int_equal(b.vdev->alarm_ns, now + TICKS_NS(512));
	}
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(i6300esb_interrupts_after_the_first_stage_until_it_is_acknowledged)
{
	struct vdev_bench b;

	start(&b, 0, ENABLE);
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(reads(&b, GINTSR), 1);
	assert_true(b.vdev->pci->wants_line);
	write16(&b, GINTSR, 1);
	assert_int_equal(reads(&b, GINTSR), 0);
	assert_false(b.vdev->pci->wants_line);
	vdev_bench_close(&b);
}
