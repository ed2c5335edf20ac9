/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci.h - virtio over PCI (virtio 1.2, 4.1), without the legacy interface: BAR 0 has the structures,
 * BAR 1 the MSI-X table. Worker; the first member of a virtio vdev's state.
 */
#pragma once

#include <stdint.h>

#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/virtio/virtio.h"

struct vdev;

struct virtio_pci {
	struct virtio virtio;
	struct pci_function function;
	struct pci_msix msix;
	uint8_t window; /* the VIRTIO_PCI_CAP_PCI_CFG capability */
	uint8_t isr;
	uint16_t queue;			      /* queue_select */
	uint32_t offered_half, accepted_half; /* *_feature_select */
	uint16_t config_vector, vector[VIRTIO_QUEUES];
};

/* To be called by the class's assemble(). */
void virtio_pci_assemble(struct vdev *d, const struct virtio_kind *kind);
/* read and write of the class. */
uint64_t virtio_pci_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width);
void virtio_pci_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value);

enum { VIRTIO_PCI_WIDTHS = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 };
