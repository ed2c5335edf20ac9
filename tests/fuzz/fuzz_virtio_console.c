/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtio_console - a hostile driver against a console whose reader never reads. */
#include <fcntl.h>
#include <unistd.h>

#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-console";

void driver_prepare(struct vdev *d)
{
	static int reader = -1;
	const struct vdev_option *o = d->class->options;
	struct err e;
	int ends[2];

	if (reader >= 0)
		close(reader);
	while (strcmp(o->name, "hostdev") != 0)
		o++;
	if (o->set(d, ">reader", &e) < 0 || pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		abort();
	reader = ends[0];
	d->want[0].fd = ends[1];
}
