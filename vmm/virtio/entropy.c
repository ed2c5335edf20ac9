/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-entropy - random numbers of the host's kernel (virtio 1.2, 5.4). One request gives at most
 * REQUEST bytes: a guest that wants more asks again, and keeps no vCPU busy in the host meanwhile.
 */
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/device.h"

enum { QUEUE = 0, QUEUE_MOST = 64, REQUEST = 256 };

struct entropy {
	struct virtio_device device;
	struct virtq_chain chain;
};

static void entropy_notify(struct virtio *v, unsigned queue)
{
	struct entropy *x = v->vdev->state;
	uint8_t bytes[REQUEST];

	while (virtio_take(v, queue, &x->chain)) {
		size_t n = x->chain.in_bytes < sizeof bytes ? x->chain.in_bytes : sizeof bytes;
		/* Up to 256 bytes are never cut short once the kernel's pool is ready. */
		ssize_t got = n ? getrandom(bytes, n, 0) : 0;

		if (got > 0)
			virtq_write(&x->chain, 0, bytes, (size_t)got);
		virtio_give(v, queue, &x->chain, got > 0 ? (size_t)got : 0);
		machine_counters(v->vdev->machine, v->vdev)->bytes_in += got > 0 ? (size_t)got : 0;
	}
}

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_RNG,
	.pci_class = 0x00ff00, /* unclassified */
	.n_queues = 1,
	.queue_most = QUEUE_MOST,
	.notify = entropy_notify,
};

static int entropy_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	(void)m;
	return virtio_assemble(d, &kind, e);
}

static int refuse_delayed(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(e, CONFIG,
		       "'delayed %s' has no meaning here: the host's kernel always has random "
		       "numbers; leave it out",
		       value);
}

static const struct vdev_option options[] = {
	{"delayed", "SECONDS", "wait for the source (not in this release)", refuse_delayed},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {SANDBOX_CALL(getrandom), SANDBOX_END};

static const struct vdev_class virtio_entropy = {
	VIRTIO_CLASS,
	.name = "virtio-entropy",
	.summary = "random numbers of the host (PCI; or MMIO by `loc mem:` and `intr`)",
	.state_bytes = sizeof(struct entropy),
	.options = options,
	.assemble = entropy_assemble,
	.syscalls = syscalls,
};
VDEV_REGISTER(virtio_entropy);
