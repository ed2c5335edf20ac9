/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>

#include "vmm/vdev/vdev.h"

enum { DATA = 0x60, STATUS = 0x64 };

static uint8_t in(struct vdev_bench *b, uint64_t port)
{
	return (uint8_t)vdev_bench_read(b, port, 1);
}

static void out(struct vdev_bench *b, uint64_t port, uint8_t value)
{
	vdev_bench_write(b, port, 1, value);
}

TEST(pckeyboard_command_fe_restarts_the_guest)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pckeyboard");
	out(&b, STATUS, 0xff); /* pulses nothing */
	assert_int_equal(b.n_ends, 0);
	out(&b, STATUS, 0xfe);
	assert_int_equal(b.n_ends, 1);
	assert_int_equal(b.end.cause, CAUSE_REBOOT);
	assert_string_equal(b.end.detail, "i8042 reset");
	vdev_bench_close(&b);
}

TEST(pckeyboard_output_port_restarts_the_guest_too)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pckeyboard");
	out(&b, STATUS, 0xd1);
	out(&b, DATA, 0x03); /* A20, not reset */
	assert_int_equal(b.n_ends, 0);
	out(&b, STATUS, 0xd0);
	assert_int_equal(in(&b, DATA), 0x03);
	out(&b, STATUS, 0xd1);
	out(&b, DATA, 0x02);
	assert_int_equal(b.n_ends, 1);
	vdev_bench_close(&b);
}

TEST(pckeyboard_passes_its_self_tests)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pckeyboard");
	assert_int_equal(in(&b, STATUS) & 0x03, 0); /* nothing to read, ready to write */
	out(&b, STATUS, 0xaa);
	assert_int_equal(in(&b, STATUS) & 0x01, 1);
	assert_int_equal(in(&b, DATA), 0x55);
	assert_int_equal(in(&b, STATUS) & 0x01, 0);
	out(&b, STATUS, 0xab);
	assert_int_equal(in(&b, DATA), 0x00);
	vdev_bench_close(&b);
}

TEST(pckeyboard_interrupts_when_its_command_byte_says_so)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pckeyboard");
	out(&b, STATUS, 0xaa);
	assert_false(b.line);
	in(&b, DATA);
	out(&b, STATUS, 0x60);
	out(&b, DATA, 0x45);
	out(&b, STATUS, 0x20);
	assert_true(b.line);
	assert_int_equal(in(&b, DATA), 0x45);
	assert_false(b.line);
	out(&b, DATA, 0xff); /* reset for a keyboard that is not there */
	assert_false(b.line);
	vdev_bench_close(&b);
}
