/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - a virtio device with its transport: what the file of a device stands on. Worker; the first
 * member of the vdev's state.
 *
 * The board decides the transport: a function of the PCI bus, unless `loc mem:` and `intr` have put it
 * at an address of its own. The file of a device does not know which (vmm/virtio/virtio.h has an
 * example).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/mmio.h"
#include "vmm/virtio/pci.h"
#include "vmm/virtio/virtio.h"

struct iothread;

struct virtio_device {
	struct virtio virtio;
	union {
		struct virtio_pci pci; /* if vdev_is_function() */
		struct virtio_mmio mmio;
	};
	int doorbell[VIRTIO_QUEUES]; /* eventfds, borrowed */
};

/* To be called by the class's assemble(); features may be added to what is offered, and configuration
 * be filled in, right after it. `kind` outlives the vdev. */
int virtio_assemble(struct vdev *d, const struct virtio_kind *kind, struct err *e);
/* Have notifications reach notify() on that thread instead of the vCPU's: a vCPU then does not leave
 * the kernel for them. After virtio_assemble(). For a device whose notify() is quick it costs more
 * than it saves. */
int virtio_doorbells(struct vdev *d, struct iothread *t, struct err *e);
/* The same with an eventfd of the device, one for all queues, and threads of its own. Where KVM does not
 * watch a notification, notify() is called as ever. */
void virtio_doorbell(struct vdev *d, int fd);
/* Of a device with doorbells: have notify() called once more, as if the guest had. */
void virtio_ring(struct virtio *v, unsigned queue);
/* read and write of the class. */
uint64_t virtio_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width);
void virtio_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width, uint64_t value);

/* What every class has in common. Linux and others know one over MMIO by QEMU's id. */
#define VIRTIO_CLASS                                                                               \
	.space = VDEV_MEM, .widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD | VDEV_QWORD,              \
	.is_pci = true, .mmio_bytes = VIRTIO_MMIO_BYTES, .mmio_hid = "LNRO0005", .intr = -1,       \
	.read = virtio_read, .write = virtio_write
