/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtio_balloon - a hostile driver against a balloon. */
#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-balloon";

void driver_prepare(struct vdev *d)
{
	(void)d; /* it needs nothing of the host */
}
