/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtio_blk - a hostile driver against a disk of 16 sectors with two threads and queues. */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-blk";

static void set(struct vdev *d, const char *name, const char *value)
{
	const struct vdev_option *o = d->class->options;
	struct err e;

	while (strcmp(o->name, name) != 0)
		o++;
	if (o->set(d, value, &e) < 0)
		abort();
}

void driver_prepare(struct vdev *d)
{
	set(d, "hostdev", "disk");
	set(d, "threads", "2");
	d->want[0].fd = memfd_create("disk", MFD_CLOEXEC);
	if (ftruncate(d->want[0].fd, 16 * 512) < 0)
		abort();
}
