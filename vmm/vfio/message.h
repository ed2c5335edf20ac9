/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - interrupts of a passed-through function, by MSI, MSI-X or its line. Worker; part of the state
 * of its vdev, under its lock.
 *
 * Messages: what the guest has programmed is emulated; the device's own go to eventfds, from which a
 * thread of the vdev sends the guest's. On the device all vectors of the kind that the guest has
 * switched on are open: what the guest masks is kept here until it unmasks.
 *
 * INTA: the host's kernel masks the device when it asserts its line, and holds the guest's; the thread
 * unmasks it once the guest has served the line. So a guest that serves it badly interrupts itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/msix.h"
#include "vmm/vdev/iothread.h"
#include "vmm/vfio/device.h"

struct vfio_shadow;

struct vfio_messages {
	const struct vfio_device *device;
	const struct vfio_shadow *shadow;
	struct iothread thread;
	int fd[VFIO_DEVICE_VECTORS];
	unsigned n_fds;
	struct pci_msix_vector vector[VFIO_DEVICE_VECTORS];
	bool is_pending[VFIO_DEVICE_VECTORS];
	struct machine_held held; /* its line; .line = -1 = it has none */
	unsigned kind;		  /* index of VFIO; VFIO_MESSAGES_OFF */
};

enum { VFIO_MESSAGES_OFF = 0xffff };

/* Of the vdev whose function the shadow is. `ready` is called on the thread,
 * under the lock. */
int vfio_messages_open(struct vfio_messages *x, const struct vfio_device *d,
		       const struct vfio_shadow *s, iothread_ready *ready, struct err *e);
void vfio_messages_close(struct vfio_messages *x);
/* Called by `ready`: the device has signalled fd. */
void vfio_messages_signal(struct vfio_messages *x, int fd);
/* After each write of the guest to its configuration; -1 when the device refuses. */
int vfio_messages_update(struct vfio_messages *x, struct err *e);
/* The guest's accesses to the table of MSI-X: dwords and quadwords, others read 0 and are dropped. */
uint64_t vfio_messages_read(const struct vfio_messages *x, uint64_t offset, unsigned width);
void vfio_messages_write(struct vfio_messages *x, uint64_t offset, unsigned width, uint64_t value);
