/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>

#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"

enum { PORT = 0x505, PANICKED = 1, CRASH_LOADED = 2 };

TEST(pvpanic_reads_as_the_events_it_takes)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "pvpanic");
	assert_int_equal(vdev_bench_read(&b, PORT, 1), PANICKED | CRASH_LOADED);
	vdev_bench_close(&b);
	vdev_bench_open(&b, "pvpanic-pci");
	assert_int_equal(pci_function_read(b.vdev->pci, 0, 4), 0x00111b36);
	assert_int_equal(b.vdev->class->read(b.vdev, 0, 0, 1), PANICKED | CRASH_LOADED);
	assert_int_equal(b.vdev->class->read(b.vdev, 0, 1, 1), 0);
	vdev_bench_close(&b);
}

TEST(pvpanic_ends_the_vm_when_the_guest_has_panicked)
{
	static const char *const names[] = {"pvpanic", "pvpanic-pci"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct vdev_bench b;

		vdev_bench_open(&b, names[i]);
		b.vdev->class->write(b.vdev, 0, 0, 1, 0);
		b.vdev->class->write(b.vdev, 0, 0, 1, CRASH_LOADED);
		b.vdev->class->write(b.vdev, 0, 0, 1, 0xfc);
		assert_int_equal(b.n_ends, 0);
		b.vdev->class->write(b.vdev, 0, 0, 1, PANICKED);
		assert_int_equal(b.n_ends, 1);
		assert_int_equal(b.end.cause, CAUSE_GUEST_PANIC);
		assert_non_null(strstr(b.end.detail, names[i]));
		vdev_bench_close(&b);
	}
}

TEST(pvpanic_only_logs_when_it_is_told_to)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "pvpanic");
	assert_int_equal(vdev_bench_option(&b, "action", "dump", &e), -1);
	assert_non_null(strstr(e.msg, "action terminate"));
	assert_int_equal(vdev_bench_option(&b, "action", "terminate", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "action", "log", &e), 0);
	vdev_bench_assemble(&b);
	vdev_bench_write(&b, PORT, 1, PANICKED);
	vdev_bench_write(&b, PORT, 1, PANICKED);
	assert_int_equal(b.n_ends, 0);
	vdev_bench_close(&b);
}
