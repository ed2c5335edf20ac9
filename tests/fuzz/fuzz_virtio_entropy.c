/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtio_entropy - a hostile driver against the random numbers. */
#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-entropy";

void driver_prepare(struct vdev *d)
{
	(void)d; /* it needs nothing of the host */
}
