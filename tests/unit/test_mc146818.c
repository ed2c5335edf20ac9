/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>
#include <time.h>

#include "vmm/vdev/vdev.h"

static uint8_t get(struct vdev_bench *b, uint8_t reg)
{
	vdev_bench_write(b, 0x70, 1, reg);
	return (uint8_t)vdev_bench_read(b, 0x71, 1);
}

static void set(struct vdev_bench *b, uint8_t reg, uint8_t value)
{
	vdev_bench_write(b, 0x70, 1, reg);
	vdev_bench_write(b, 0x71, 1, value);
}

static int bcd(uint8_t v)
{
	return (v >> 4) * 10 + (v & 15);
}

/* The calendar that the guest reads, twice if midnight came in between. */
static time_t read_clock(struct vdev_bench *b)
{
	struct tm t;
	time_t s, again;

	do {
		t = (struct tm){.tm_sec = bcd(get(b, 0)),
				.tm_min = bcd(get(b, 2)),
				.tm_hour = bcd(get(b, 4)),
				.tm_mday = bcd(get(b, 7)),
				.tm_mon = bcd(get(b, 8)) - 1,
				.tm_year = bcd(get(b, 9)) + 100 * (bcd(get(b, 0x32)) - 19)};
		s = timegm(&t);
		again = bcd(get(b, 0));
	} while (again != t.tm_sec);
	return s;
}

/* Not time(): its clock is a tick behind, and the second may turn within it. */
static time_t now_s(void)
{
	return (time_t)(clock_wall_ms() / 1000);
}

TEST(mc146818_shows_the_hosts_time)
{
	struct vdev_bench b;
	time_t before = now_s(), guest;

	vdev_bench_open(&b, "mc146818");
	guest = read_clock(&b);
	assert_in_range(guest, before, now_s());
	assert_int_equal(get(&b, 0x0d), 0x80);
	vdev_bench_close(&b);
}

TEST(mc146818_goes_on_from_the_time_that_the_guest_sets)
{
	/* 2031-02-03 04:05:06 */
	static const uint8_t when[][2] = {{0, 0x06}, {2, 0x05}, {4, 0x04},
					  {7, 0x03}, {8, 0x02}, {9, 0x31}};
	struct vdev_bench b;
	time_t took = now_s(), guest;

	vdev_bench_open(&b, "mc146818");
	set(&b, 0x0b, 0x82);
	for (size_t i = 0; i < sizeof when / sizeof when[0]; i++)
		set(&b, when[i][0], when[i][1]);
	assert_int_equal(get(&b, 4), 0x04); /* it stands while SET is on */
	set(&b, 0x0b, 0x02);
	guest = read_clock(&b);
	took = now_s() - took;
	assert_in_range(guest, 1927857906, 1927857906 + took + 1);
	vdev_bench_close(&b);
}

TEST(mc146818_counts_in_binary_and_in_12_hours_when_asked)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "mc146818");
	set(&b, 0x0b, 0x86);
	/* The data sheet wants every byte set anew: what is there is still in BCD. */
	set(&b, 0, 0);
	set(&b, 2, 0);
	set(&b, 4, 23);
	set(&b, 0x0b, 0x06);
	assert_int_equal(get(&b, 4), 23);
	set(&b, 0x0b, 0x04);
	assert_int_equal(get(&b, 4), 0x80 | 11);
	set(&b, 0x0b, 0x00);
	assert_int_equal(get(&b, 4), 0x80 | 0x11);
	vdev_bench_close(&b);
}

TEST(mc146818_keeps_memory_and_takes_it_from_the_configuration)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "mc146818");
	assert_int_equal(vdev_bench_option(&b, "reg", "0x0b,0x02", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x40,17", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x80,1", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "1", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x0d,0", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "4,0", &e), -1);
	vdev_bench_assemble(&b);
	assert_int_equal(get(&b, 0x40), 17);
	set(&b, 0xc1, 0x99); /* bit 7 of the index is the PC's NMI mask */
	assert_int_equal(get(&b, 0x41), 0x99);
	vdev_bench_close(&b);
}

TEST(cmos_tells_a_firmware_the_memory_sizes_and_the_configuration_has_the_last_word)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "mc146818");
	assert_int_equal(vdev_bench_option(&b, "reg", "0x17,0x12", &e), 0);
	vdev_bench_assemble(&b);
	assert_int_equal(get(&b, 0x15) | get(&b, 0x16) << 8, 640);
	assert_int_equal(get(&b, 0x17), 0x12);
	assert_int_equal(get(&b, 0x30) | get(&b, 0x31) << 8, 63 << 10);
	assert_int_equal(get(&b, 0x34) | get(&b, 0x35) << 8, (48 << 20) >> 16);
	assert_int_equal(get(&b, 0x5b) | get(&b, 0x5c) << 8 | get(&b, 0x5d) << 16, 0);
	assert_int_equal(get(&b, 0x5f), 1);
	vdev_bench_close(&b);
}
