/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio.h - a virtio device without its transport (virtio 1.2, chapters 2 and 3): status, features,
 * queues. Worker; part of the state of a vdev, under its lock.
 *
 * What a guest may not do to a queue is answered by DEVICE_NEEDS_RESET (2.1.2): the device does
 * nothing any more until the guest has reset it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/virtio/queue.h"

struct vdev;
struct virtio;

enum { VIRTIO_QUEUES = 2, VIRTIO_CONFIG = 128 };

/* What makes a kind of device; constant. */
struct virtio_kind {
	uint16_t id;	     /* chapter 5 */
	uint32_t pci_class;  /* 24 bits */
	unsigned n_queues;   /* at most VIRTIO_QUEUES */
	uint16_t queue_most; /* a power of two, at most VIRTQ_MOST */
	uint64_t features;   /* beyond those of queue and transport */
	/* There may be something in that queue. */
	void (*notify)(struct virtio *v, unsigned queue);
	/* Let go of all requests: none may be used afterwards. NULL = it keeps none. */
	void (*reset)(struct virtio *v);
};

struct virtio {
	struct vdev *vdev;
	const struct virtio_kind *kind;
	uint64_t offered, accepted;
	uint8_t status;
	struct virtq queue[VIRTIO_QUEUES];
	uint8_t config[VIRTIO_CONFIG]; /* device-specific, read-only */
	/* Of the transport: interrupt for a queue, or for a change of configuration or status. */
	void (*interrupt)(struct virtio *v, unsigned queue);
	void (*interrupt_config)(struct virtio *v);
	bool (*may_access)(const struct virtio *v); /* guest memory, for now */
	bool has_logged;
};

void virtio_init(struct virtio *v, struct vdev *d, const struct virtio_kind *kind);

/* --- for transports --- */

void virtio_write_status(struct virtio *v, uint8_t value);
/* 32 bits of the accepted features, 0 or 1; refused after FEATURES_OK. */
void virtio_accept(struct virtio *v, unsigned half, uint32_t bits);
void virtio_turn_on(struct virtio *v, unsigned queue);
void virtio_notify(struct virtio *v, unsigned queue);

/* --- for devices --- */

/* The driver is ready and the device has not broken. */
bool virtio_is_live(const struct virtio *v);
bool virtio_has(const struct virtio *v, unsigned feature);
/* virtq_take() of a live device: 1, or 0; a fault breaks the device. */
int virtio_take(struct virtio *v, unsigned queue, struct virtq_chain *ret);
/* virtq_give(), and an interrupt if the guest wants one. */
void virtio_give(struct virtio *v, unsigned queue, const struct virtq_chain *c, size_t written);
/* The guest broke a rule of the device: it needs a reset. */
void virtio_break(struct virtio *v, const char *what);
