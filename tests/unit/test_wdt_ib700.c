/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>

#include "base/clock.h"
#include "vmm/vdev/vdev.h"

enum { STOP = 0x441, BETWEEN = 0x442, START = 0x443 };
#define NS_PER_S UINT64_C(1000000000)

TEST(wdt_ib700_sleeps_until_the_first_start)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "wdt-ib700");
	assert_null(b.vdev->class->read);
	vdev_bench_write(&b, STOP, 1, 0);
	vdev_bench_write(&b, BETWEEN, 1, 0);
	assert_int_equal(b.vdev->alarm_ns, 0);
	vdev_bench_pass(&b, UINT64_MAX);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(wdt_ib700_counts_in_steps_of_two_seconds_downwards)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "wdt-ib700");
	for (unsigned value = 0; value < 256; value++) {
		uint64_t before = clock_mono_ns(), after, limit = (15 - value % 16) * 2 * NS_PER_S;

		vdev_bench_write(&b, START, 1, value);
		after = clock_mono_ns();
		assert_in_range(b.vdev->alarm_ns, before + limit, after + limit);
	}
	assert_int_equal(b.n_signs, 256);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(wdt_ib700_bites_when_it_is_not_fed)
{
	struct vdev_bench b;
	uint64_t deadline;

	vdev_bench_open(&b, "wdt-ib700");
	vdev_bench_write(&b, START, 1, 0xa);
	deadline = b.vdev->alarm_ns;
	vdev_bench_pass(&b, deadline - 1);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_pass(&b, deadline);
	assert_int_equal(b.n_ends, 1);
	assert_int_equal(b.end.cause, CAUSE_WATCHDOG);
	assert_int_equal(b.end.exit_code, 0); /* the cause's own, 4 */
	assert_string_equal(b.end.detail, "wdt-ib700 was not fed for 10 s");
	assert_int_equal(b.vdev->alarm_ns, 0);
	vdev_bench_close(&b);
}

TEST(wdt_ib700_is_fed_by_every_start_and_stopped_by_a_stop)
{
	struct vdev_bench b;
	uint64_t deadline;

	vdev_bench_open(&b, "wdt-ib700");
	vdev_bench_write(&b, START, 1, 0xe);
	deadline = b.vdev->alarm_ns;
	vdev_bench_write(&b, START, 1, 0x0);
	vdev_bench_pass(&b, deadline);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_write(&b, BETWEEN, 1, 0xff);
	assert_true(b.vdev->alarm_ns > deadline);
	vdev_bench_write(&b, STOP, 1, 0xff);
	vdev_bench_pass(&b, UINT64_MAX);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}

TEST(wdt_ib700_dumps_when_told_and_refuses_what_it_cannot_do)
{
	static const char *const dumping[] = {"dump,terminate", "terminate,dump"};
	static const char *const unknown[] = {"", "dump", "fiq", "terminate,", "Terminate"};
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "wdt-ib700");
	assert_int_equal(vdev_bench_option(&b, "action", "terminate", &e), 0);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		assert_int_equal(vdev_bench_option(&b, "action", unknown[i], &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "write `action terminate`"));
	}
	for (size_t i = 0; i < sizeof dumping / sizeof dumping[0]; i++)
		assert_int_equal(vdev_bench_option(&b, "action", dumping[i], &e), 0);
	vdev_bench_assemble(&b);
	vdev_bench_write(&b, START, 1, 0xf);
	vdev_bench_pass(&b, UINT64_MAX);
	assert_int_equal(b.n_dumps, 1);
	assert_int_equal(b.n_ends, 1);
	vdev_bench_close(&b);
}
