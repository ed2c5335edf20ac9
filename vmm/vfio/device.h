/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - a PCI function of the host that VFIO has given to this worker: its registers, interrupts
 * and DMA, by the two descriptors that were granted (<linux/vfio.h> documents each request). Worker;
 * part of the state of its vdev.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "vmm/pci/function.h"

struct machine;

struct vfio_device {
	const char *name;     /* of the function on the host */
	int container_fd, fd; /* borrowed */
	bool can_reset;
	struct vfio_window {
		uint64_t bytes, offset; /* its place in fd; 0 bytes = not there */
		bool can_map;
	} bar[PCI_BARS], config;
	unsigned n_mapped; /* RAM ranges that it may access */
};

/* Look at it, and reset it where it knows how to. */
int vfio_device_open(struct vfio_device *d, const char *name, int container_fd, int fd,
		     struct err *e);
/* Silent, reset, without access to any memory: before guest memory goes. Never opened is fine. */
void vfio_device_close(struct vfio_device *d, struct machine *m);
/* Let it access all RAM of the guest, at the guest's own addresses, and nothing else. */
int vfio_device_map_ram(struct vfio_device *d, struct machine *m, struct err *e);
/* Registers, at an offset inside w; a device that does not answer reads as ones. */
uint64_t vfio_device_read(const struct vfio_device *d, const struct vfio_window *w, uint64_t offset,
			  unsigned width);
void vfio_device_write(const struct vfio_device *d, const struct vfio_window *w, uint64_t offset,
		       unsigned width, uint64_t value);
/* Have it count up fds[0..n) by interrupts of a kind, one of VFIO_PCI_INTX_IRQ_INDEX, ..MSI.. and ..MSIX..;
 * n = 0: it shall not. At most VFIO_DEVICE_VECTORS. */
enum { VFIO_DEVICE_VECTORS = 32 };
int vfio_device_interrupts(const struct vfio_device *d, unsigned kind, const int *fds, unsigned n,
			   struct err *e);

/* Its line, which the host's kernel has masked when it counted up: it may interrupt again. */
void vfio_device_unmask(const struct vfio_device *d);

/* Needed after START. */
extern const struct sandbox_allow vfio_device_syscalls[];
