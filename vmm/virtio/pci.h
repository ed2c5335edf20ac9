/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci.h - virtio over PCI (virtio 1.2, 4.1), without the legacy interface: BAR 0 has the structures,
 * BAR 1 the MSI-X table. Worker; one of the transports of vmm/virtio/device.h.
 */
#pragma once

#include <stdint.h>

#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/virtio/virtio.h"

struct virtio_pci {
	struct virtio *virtio;
	struct pci_function function;
	struct pci_msix msix;
	uint8_t window; /* the VIRTIO_PCI_CAP_PCI_CFG capability */
	uint8_t isr;
	uint16_t queue;			      /* queue_select */
	uint32_t offered_half, accepted_half; /* *_feature_select */
	uint16_t config_vector, vector[VIRTIO_QUEUES];
	uint64_t notify_at; /* where KVM watches the notifications; 0 = nowhere */
};

/* Of the transport of v, which is initialised. */
void virtio_pci_assemble(struct virtio_pci *p, struct virtio *v);
/* Have KVM watch the notifications by the device's doorbells, wherever the guest puts them. */
void virtio_pci_watch(struct virtio_pci *p);
uint64_t virtio_pci_read(struct virtio_pci *p, unsigned bar, uint64_t offset, unsigned width);
void virtio_pci_write(struct virtio_pci *p, unsigned bar, uint64_t offset, unsigned width,
		      uint64_t value);
