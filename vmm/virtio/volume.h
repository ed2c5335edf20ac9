/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume.h - a disk as its guest sees it: what a request of virtio-blk (virtio 1.2, 5.2.6) does to what
 * is behind it. Worker; part of the state of a disk. Any of its threads may serve a request, without
 * a lock; that waits for the host's disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vmm/virtio/backing.h"
#include "vmm/virtio/queue.h"

struct blackbox_vdev;

/* Limits of one request of discard or zeroes: it is one call to the host, which a reset waits for. */
enum { VOLUME_SECTOR = 512, VOLUME_RANGES = 16 };
enum { VOLUME_DISCARD_SECTORS = 1 << 21, VOLUME_ZERO_SECTORS = 1 << 15 };

struct volume {
	struct backing backing;
	bool is_read_only;
	const char *name; /* its identity */
	struct blackbox_vdev *counters;
};

/* It has a head and a status byte. */
bool volume_is_request(const struct virtq_chain *c);
/* Do it, and write its status; returns how many bytes of it are filled. is_through: what it writes is on
 * the medium at once. */
size_t volume_serve(struct volume *u, const struct virtq_chain *c, bool is_through);
