/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/device.h"

#include <stdlib.h>
#include <unistd.h>

#include "vmm/vdev/iothread.h"

int virtio_assemble(struct vdev *d, const struct virtio_kind *kind, struct err *e)
{
	struct virtio_device *x = d->state;

	(void)e;
	virtio_init(&x->virtio, d, kind);
	if (vdev_is_function(d))
		virtio_pci_assemble(&x->pci, &x->virtio);
	else
		virtio_mmio_assemble(&x->mmio, &x->virtio);
	return 0;
}

static void ring(struct vdev *d, int fd, uint32_t events)
{
	struct virtio_device *x = d->state;

	(void)events;
	for (unsigned q = 0; q < x->virtio.kind->n_queues; q++)
		if (x->doorbell[q] == fd)
			virtio_notify(&x->virtio, q);
}

static void watch(struct virtio_device *x)
{
	if (vdev_is_function(x->virtio.vdev))
		virtio_pci_watch(&x->pci);
	else
		virtio_mmio_watch(&x->mmio);
}

int virtio_doorbells(struct vdev *d, struct iothread *t, struct err *e)
{
	struct virtio_device *x = d->state;

	for (unsigned q = 0; q < x->virtio.kind->n_queues; q++)
		if (iothread_bell(t, ring, &x->doorbell[q], e) < 0)
			return -1;
	watch(x);
	return 0;
}

void virtio_doorbell(struct vdev *d, int fd)
{
	struct virtio_device *x = d->state;

	for (unsigned q = 0; q < x->virtio.kind->n_queues; q++)
		x->doorbell[q] = fd;
	watch(x);
}

void virtio_ring(struct virtio *v, unsigned queue)
{
	static const uint64_t one = 1;
	const struct virtio_device *x = v->vdev->state;

	/* Fails only when it has rung 2^64 times unheard. */
	if (write(x->doorbell[queue], &one, sizeof one) != sizeof one)
		abort();
}

uint64_t virtio_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct virtio_device *x = d->state;

	return vdev_is_function(d) ? virtio_pci_read(&x->pci, region, offset, width)
				   : virtio_mmio_read(&x->mmio, offset, width);
}

void virtio_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width, uint64_t value)
{
	struct virtio_device *x = d->state;

	if (vdev_is_function(d))
		virtio_pci_write(&x->pci, region, offset, width, value);
	else
		virtio_mmio_write(&x->mmio, offset, width, value);
}
