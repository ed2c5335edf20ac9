/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/mmio.h"

#include <linux/virtio_mmio.h>

#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/device.h"

enum { MAGIC = 0x74726976, VERSION = 2, VENDOR = 0x004d5651 /* "QVM" */ };

static struct virtio_mmio *of(const struct virtio *v)
{
	return &((struct virtio_device *)v->vdev->state)->mmio;
}

/* --- interrupts --- */

static void interrupt(struct virtio *v, uint32_t reason)
{
	struct virtio_mmio *p = of(v);

	p->pending |= reason;
	machine_interrupt(v->vdev->machine, v->vdev, true);
}

static void interrupt_queue(struct virtio *v, unsigned queue)
{
	(void)queue;
	interrupt(v, VIRTIO_MMIO_INT_VRING);
}

static void interrupt_config(struct virtio *v)
{
	interrupt(v, VIRTIO_MMIO_INT_CONFIG);
}

/* What stays pending is a new edge: a guest that was told of the device on its command line has the
 * line as one of ISA. */
static void acknowledge(struct virtio_mmio *p, uint32_t reasons)
{
	struct vdev *d = p->virtio->vdev;

	if (!p->pending)
		return;
	p->pending &= ~reasons;
	machine_interrupt(d->machine, d, false);
	if (p->pending)
		machine_interrupt(d->machine, d, true);
}

static bool may_access(const struct virtio *v)
{
	(void)v; /* there is no bus in between */
	return true;
}

/* --- registers, 4.2.2 --- */

static struct virtq *selected(struct virtio_mmio *p)
{
	return p->queue < p->virtio->kind->n_queues ? &p->virtio->queue[p->queue] : NULL;
}

static uint32_t half_of(uint64_t features, uint32_t half)
{
	return half > 1 ? 0 : (uint32_t)(features >> 32 * half);
}

static uint32_t read_register(struct virtio_mmio *p, uint64_t offset)
{
	const struct virtio *v = p->virtio;
	const struct virtq *q = selected(p);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE: return MAGIC;
	case VIRTIO_MMIO_VERSION: return VERSION;
	case VIRTIO_MMIO_DEVICE_ID: return v->kind->id;
	case VIRTIO_MMIO_VENDOR_ID: return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES: return half_of(v->offered, p->offered_half);
	case VIRTIO_MMIO_QUEUE_NUM_MAX: return q ? q->most : 0;
	case VIRTIO_MMIO_QUEUE_READY: return q && q->is_on;
	case VIRTIO_MMIO_INTERRUPT_STATUS: return p->pending;
	case VIRTIO_MMIO_STATUS: return v->status;
	/* 4.2.2: a length of all ones is a region that is not there. */
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH: return UINT32_MAX;
	case VIRTIO_MMIO_CONFIG_GENERATION: return v->generation;
	default: return 0; /* to be written only */
	}
}

static void set_low(uint64_t *address, uint32_t value)
{
	*address = *address >> 32 << 32 | value;
}

static void set_high(uint64_t *address, uint32_t value)
{
	*address = (uint64_t)value << 32 | (uint32_t)*address;
}

/* What a queue in use is made of does not change. */
static void write_queue(struct virtio_mmio *p, uint64_t offset, uint32_t value)
{
	struct virtq *q = selected(p);

	if (!q)
		return;
	if (offset == VIRTIO_MMIO_QUEUE_READY && value == 0)
		virtio_turn_off(p->virtio, p->queue);
	if (q->is_on)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		q->size =
			value > UINT16_MAX ? 0 : (uint16_t)value; /* refused when it is turned on */
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		if (value == 1)
			virtio_turn_on(p->virtio, p->queue);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW: set_low(&q->desc, value); break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH: set_high(&q->desc, value); break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW: set_low(&q->driver, value); break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH: set_high(&q->driver, value); break;
	case VIRTIO_MMIO_QUEUE_USED_LOW: set_low(&q->device, value); break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH: set_high(&q->device, value); break;
	default: break;
	}
}

/* The transport's part of a reset. */
static void forget(struct virtio_mmio *p)
{
	acknowledge(p, UINT32_MAX);
	p->queue = 0;
	p->offered_half = p->accepted_half = 0;
}

static void write_register(struct virtio_mmio *p, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL: p->offered_half = value; break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL: p->accepted_half = value; break;
	case VIRTIO_MMIO_DRIVER_FEATURES: virtio_accept(p->virtio, p->accepted_half, value); break;
	case VIRTIO_MMIO_QUEUE_SEL: p->queue = value; break;
	case VIRTIO_MMIO_QUEUE_NOTIFY: virtio_notify(p->virtio, value); break;
	case VIRTIO_MMIO_INTERRUPT_ACK: acknowledge(p, value); break;
	case VIRTIO_MMIO_STATUS:
		virtio_write_status(p->virtio, (uint8_t)value);
		if ((uint8_t)value == 0)
			forget(p);
		break;
	default: write_queue(p, offset, value); break;
	}
}

/* 4.2.2.2: registers are dwords; in another width they read 0 and drop what is written. */
uint64_t virtio_mmio_read(struct virtio_mmio *p, uint64_t offset, unsigned width)
{
	if (offset >= VIRTIO_MMIO_CONFIG)
		return virtio_config_read(p->virtio, offset - VIRTIO_MMIO_CONFIG, width);
	return width == 4 ? read_register(p, offset) : 0;
}

void virtio_mmio_write(struct virtio_mmio *p, uint64_t offset, unsigned width, uint64_t value)
{
	if (offset >= VIRTIO_MMIO_CONFIG)
		virtio_config_write(p->virtio, offset - VIRTIO_MMIO_CONFIG, width, value);
	else if (width == 4)
		write_register(p, offset, (uint32_t)value);
}

void virtio_mmio_assemble(struct virtio_mmio *p, struct virtio *v)
{
	p->virtio = v;
	v->interrupt = interrupt_queue;
	v->interrupt_config = interrupt_config;
	v->may_access = may_access;
}

void virtio_mmio_watch(struct virtio_mmio *p)
{
	struct vdev *d = p->virtio->vdev;
	const struct virtio_device *x = d->state;

	for (uint32_t q = 0; q < p->virtio->kind->n_queues; q++)
		machine_doorbell(d->machine, d->region[0].base + VIRTIO_MMIO_QUEUE_NOTIFY, &q,
				 x->doorbell[q], true);
}
