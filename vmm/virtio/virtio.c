/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/virtio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vmm/vdev/vdev.h"

#define BIT(n) (UINT64_C(1) << (n))

static void reset(struct virtio *v)
{
	if (v->kind->reset && v->status)
		v->kind->reset(v);
	v->status = 0;
	v->accepted = 0;
	for (unsigned q = 0; q < v->kind->n_queues; q++)
		virtq_reset(&v->queue[q], v->vdev->machine, v->kind->queue_most);
}

void virtio_init(struct virtio *v, struct vdev *d, const struct virtio_kind *kind)
{
	if (kind->n_queues > VIRTIO_QUEUES || kind->queue_most > VIRTQ_MOST)
		abort(); /* constants of a class */
	v->vdev = d;
	v->kind = kind;
	v->offered = kind->features | BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |
		     BIT(VIRTIO_RING_F_INDIRECT_DESC);
	reset(v);
}

bool virtio_has(const struct virtio *v, unsigned feature)
{
	return v->accepted & BIT(feature);
}

bool virtio_is_live(const struct virtio *v)
{
	return (v->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* 2.2.2: only what was offered, and not without VERSION_1, as there is no legacy interface. */
static bool features_are_sound(const struct virtio *v)
{
	return !(v->accepted & ~v->offered) && virtio_has(v, VIRTIO_F_VERSION_1);
}

void virtio_write_status(struct virtio *v, uint8_t value)
{
	uint8_t old = v->status;

	if (value == 0) {
		reset(v);
		return;
	}
	value &= (uint8_t)~VIRTIO_CONFIG_S_NEEDS_RESET;
	if ((value & VIRTIO_CONFIG_S_FEATURES_OK) && !(old & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    !features_are_sound(v))
		value &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	/* 2.1.1: a bit is not taken back. */
	v->status = value | old;
	/* 3.1.1: without FEATURES_OK the driver must not go on. */
	if ((v->status & VIRTIO_CONFIG_S_DRIVER_OK) && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK))
		v->status &= (uint8_t)~VIRTIO_CONFIG_S_DRIVER_OK;
	/* 3.1.1: no notifications before; Linux's balloon sends one all the same, and only that one. */
	if (v->status & ~old & VIRTIO_CONFIG_S_DRIVER_OK)
		for (unsigned q = 0; q < v->kind->n_queues; q++)
			if (v->queue[q].is_on)
				virtio_notify(v, q);
}

void virtio_accept(struct virtio *v, unsigned half, uint32_t bits)
{
	if (half > 1 || (v->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	v->accepted = half ? (v->accepted & UINT32_MAX) | (uint64_t)bits << 32
			   : (v->accepted >> 32 << 32) | bits;
}

void virtio_break(struct virtio *v, const char *what)
{
	char more[BUCKET_TEXT];

	if (v->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	if (bucket_take(&v->bucket, clock_mono_ms(), more))
		vdev_warn(v->vdev, "vdev %s: the guest's driver gave it %s; it needs a reset%s",
			  v->vdev->name, what, more);
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		v->interrupt_config(v);
}

void virtio_turn_on(struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->queue[queue];

	if (queue >= v->kind->n_queues || q->is_on || q->fault ||
	    !(v->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	if (virtq_turn_on(q, virtio_has(v, VIRTIO_RING_F_EVENT_IDX)) < 0)
		virtio_break(v, q->fault);
}

/* 4.2.2.2: without waiting for a reset. What comes back from it later is dropped. */
void virtio_turn_off(struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->queue[queue];

	if (queue >= v->kind->n_queues || !q->is_on)
		return;
	if (v->kind->reset)
		v->kind->reset(v);
	virtq_reset(q, v->vdev->machine, v->kind->queue_most);
}

uint64_t virtio_config_read(const struct virtio *v, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	if (offset < VIRTIO_CONFIG && width <= VIRTIO_CONFIG - offset)
		memcpy(&value, v->config + offset, width);
	return value;
}

void virtio_config_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value)
{
	if (!v->kind->config_written || offset >= VIRTIO_CONFIG || width > VIRTIO_CONFIG - offset)
		return;
	memcpy(v->config + offset, &value, width);
	v->kind->config_written(v, (unsigned)offset, width);
}

void virtio_config_changed(struct virtio *v)
{
	v->generation++;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		v->interrupt_config(v);
}

void virtio_notify(struct virtio *v, unsigned queue)
{
	if (queue < v->kind->n_queues && virtio_is_live(v))
		v->kind->notify(v, queue);
}

int virtio_take(struct virtio *v, unsigned queue, struct virtq_chain *ret)
{
	struct virtq *q = &v->queue[queue];
	int got;

	if (!virtio_is_live(v) || !v->may_access(v))
		return 0;
	got = virtq_take(q, ret);
	if (got < 0) {
		virtio_break(v, q->fault);
		return 0;
	}
	return got;
}

void virtio_untake(struct virtio *v, unsigned queue, unsigned n)
{
	v->queue[queue].next_available -= (uint16_t)n;
}

void virtio_give(struct virtio *v, unsigned queue, const struct virtq_chain *c, size_t written)
{
	virtq_give(&v->queue[queue], c, written);
	if (virtq_wants_interrupt(&v->queue[queue]))
		v->interrupt(v, queue);
}
