/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heartbeat - one port, of which every write is a sign of the guest's life. The policy
 * guest_heartbeat_ms says how long the supervisor waits for the next one; unlike a watchdog it has no
 * time of its own, and nothing to set up. It reads as 1, so that a guest finds it.
 */
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

static uint64_t heartbeat_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	(void)d;
	(void)region;
	(void)offset;
	(void)width;
	return 1;
}

static void heartbeat_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			    uint64_t value)
{
	(void)region;
	(void)offset;
	(void)width;
	(void)value;
	machine_sign(d->machine);
}

static const struct vdev_class heartbeat = {
	.name = "heartbeat",
	.summary = "a port that the guest writes to while it is well (policy guest_heartbeat_ms)",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {{0x5e0, 1}},
	.intr = -1,
	.read = heartbeat_read,
	.write = heartbeat_write,
};
VDEV_REGISTER(heartbeat);
