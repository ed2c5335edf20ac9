/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include "vmm/vdev/vdev.h"

enum { PORT = 0x5e0 };

TEST(heartbeat_takes_every_write_for_a_sign_of_life)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "heartbeat");
	assert_int_equal(vdev_bench_read(&b, PORT, 1), 1);
	assert_int_equal(b.n_signs, 0);
	for (unsigned value = 0; value < 256; value++)
		vdev_bench_write(&b, PORT, 1, value);
	assert_int_equal(b.n_signs, 256);
	vdev_bench_close(&b);
}
