/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio.h - a virtio device without its transport (virtio 1.2, chapters 2 and 3): status, features,
 * queues, configuration. Worker; part of the state of a vdev, under its lock.
 *
 * What a guest may not do to a queue is answered by DEVICE_NEEDS_RESET (2.1.2): the device does
 * nothing any more until the guest has reset it.
 *
 * A device is one file that knows no transport (vmm/virtio/device.h chooses it). One with an fd of the
 * host, here a stream of bytes, looks like this; vmm/virtio/entropy.c is one without:
 *
 *	struct stream {
 *		struct virtio_device device; // comes first
 *		struct iothread thread;
 *		struct virtq_chain chain;    // large: not on a stack
 *		int fd;
 *	};
 *
 *	// The host has bytes: under the vdev's lock, on the thread.
 *	static void ready(struct vdev *d, int fd, uint32_t events)
 *	{
 *		struct stream *s = d->state;
 *		struct virtio *v = &s->device.virtio;
 *		...
 *		if (!virtio_take(v, RX, &s->chain)) // no buffer: stop listening until notify(RX)
 *			iothread_watch(&s->thread, fd, 0, NULL);
 *		else
 *			virtio_give(v, RX, &s->chain, virtq_write(&s->chain, 0, bytes, n));
 *	}
 *
 *	// The guest has put something into a queue: under the lock, on whatever thread. Never waits.
 *	static void stream_notify(struct virtio *v, unsigned queue)
 *	{
 *		if (queue == RX)
 *			iothread_watch(&s->thread, s->fd, EPOLLIN, &e);
 *		else
 *			while (virtio_take(v, TX, &s->chain)) ...
 *	}
 *
 *	static int stream_assemble(struct vdev *d, struct machine *m, struct err *e)
 *	{
 *		return virtio_assemble(d, &kind, e) < 0 ||
 *				       iothread_spawn(&s->thread, d, ready, e) < 0 ||
 *				       virtio_doorbells(d, &s->thread, e) < 0 ? -1 : 0;
 *	}
 *
 *	static void stream_stop(struct vdev *d) // of the class: stop and destroy
 *	{
 *		iothread_stop(&s->thread);
 *	}
 *
 *	static const struct vdev_class virtio_stream = {
 *		VIRTIO_CLASS,
 *		.name = "virtio-stream",
 *		.has_iothread = true,
 *		.has_doorbells = true, // with virtio_doorbells() only: notify() comes on the thread
 *		...
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bucket.h"
#include "vmm/virtio/queue.h"

struct vdev;
struct virtio;

enum { VIRTIO_QUEUES = 8, VIRTIO_CONFIG = 128 };

/* What makes a kind of device; constant. */
struct virtio_kind {
	uint16_t id;	     /* chapter 5 */
	uint32_t pci_class;  /* 24 bits */
	unsigned n_queues;   /* at most VIRTIO_QUEUES */
	uint16_t queue_most; /* a power of two, at most VIRTQ_MOST */
	uint64_t features;   /* beyond those of queue and transport */
	/* There may be something in that queue. */
	void (*notify)(struct virtio *v, unsigned queue);
	/* Let go of all requests: none may be used afterwards, here at a reset, or because the guest
	 * takes a queue back. NULL = it keeps none. */
	void (*reset)(struct virtio *v);
	/* The guest has written those bytes of v->config: take them, or put back what it may not
	 * change. NULL = the configuration is read-only. */
	void (*config_written)(struct virtio *v, unsigned offset, unsigned bytes);
};

struct virtio {
	struct vdev *vdev;
	const struct virtio_kind *kind;
	uint64_t offered, accepted;
	uint8_t status;
	struct virtq queue[VIRTIO_QUEUES];
	uint8_t config[VIRTIO_CONFIG]; /* device-specific */
	uint32_t generation;	       /* 2.5.1: counts its changes by the device */
	/* Of the transport: interrupt for a queue, or for a change of configuration or status. */
	void (*interrupt)(struct virtio *v, unsigned queue);
	void (*interrupt_config)(struct virtio *v);
	bool (*may_access)(const struct virtio *v); /* guest memory, for now */
	struct bucket bucket; /* of the faults of its driver that are logged */
};

void virtio_init(struct virtio *v, struct vdev *d, const struct virtio_kind *kind);

/* --- for transports --- */

void virtio_write_status(struct virtio *v, uint8_t value);
/* 32 bits of the accepted features, 0 or 1; refused after FEATURES_OK. */
void virtio_accept(struct virtio *v, unsigned half, uint32_t bits);
void virtio_turn_on(struct virtio *v, unsigned queue);
void virtio_turn_off(struct virtio *v, unsigned queue);
/* The guest's accesses to the configuration: beyond its end they read 0 and are dropped. */
uint64_t virtio_config_read(const struct virtio *v, uint64_t offset, unsigned width);
void virtio_config_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value);
void virtio_notify(struct virtio *v, unsigned queue);

/* --- for devices --- */

/* The driver is ready and the device has not broken. */
bool virtio_is_live(const struct virtio *v);
bool virtio_has(const struct virtio *v, unsigned feature);
/* The device has changed v->config: the guest hears of it once its driver is ready. */
void virtio_config_changed(struct virtio *v);
/* virtq_take() of a live device: 1, or 0; a fault breaks the device. */
int virtio_take(struct virtio *v, unsigned queue, struct virtq_chain *ret);
/* Put the last n requests back, of which none was given: they are taken again, and a notification
 * comes when there are more. */
void virtio_untake(struct virtio *v, unsigned queue, unsigned n);
/* virtq_give(), and an interrupt if the guest wants one. */
void virtio_give(struct virtio *v, unsigned queue, const struct virtq_chain *c, size_t written);
/* The guest broke a rule of the device: it needs a reset. */
void virtio_break(struct virtio *v, const char *what);
