/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmio.h - virtio over registers at a fixed place with an interrupt line (virtio 1.2, 4.2), without the
 * legacy interface. Worker; one of the transports of vmm/virtio/device.h.
 */
#pragma once

#include <stdint.h>

#include "vmm/virtio/virtio.h"

/* Registers, then the configuration. */
enum { VIRTIO_MMIO_BYTES = 0x200 };

struct virtio_mmio {
	struct virtio *virtio;
	uint32_t pending;		      /* InterruptStatus */
	uint32_t queue;			      /* QueueSel */
	uint32_t offered_half, accepted_half; /* *FeaturesSel */
};

/* Of the transport of v, which is initialised. */
void virtio_mmio_assemble(struct virtio_mmio *p, struct virtio *v);
/* Have KVM watch the notifications by the device's doorbells. */
void virtio_mmio_watch(struct virtio_mmio *p);
uint64_t virtio_mmio_read(struct virtio_mmio *p, uint64_t offset, unsigned width);
void virtio_mmio_write(struct virtio_mmio *p, uint64_t offset, unsigned width, uint64_t value);
