/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the device's end of a split virtqueue (virtio 1.2, 2.7), with indirect descriptors (2.7.5.3)
 * and event suppression (2.7.7, 2.7.10). Worker; part of a virtio device, under its vdev's lock.
 *
 * Everything in the rings is written by the guest, at any moment. Each field is read once; addresses
 * lie in one range of guest memory, those that the device writes to in RAM; a chain has at most
 * VIRTQ_MOST parts. What breaks a rule is a fault: the queue then gives nothing any more, until the
 * guest has reset the device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct machine;

enum { VIRTQ_MOST = 256 };

struct virtq {
	struct machine *machine;
	uint16_t most; /* descriptors that the device offers */
	uint16_t size;
	uint64_t desc, driver, device; /* gpa of the descriptor area, available and used ring */
	bool is_on, has_event_index;
	const uint8_t *table, *available; /* in our mapping, once it is on; memory never moves */
	uint8_t *used;
	uint16_t next_available, next_used, signalled;
	const char *fault; /* what the guest did wrong, or NULL */
};

/* One request: first what the device reads, then what it may write. */
struct virtq_chain {
	uint16_t head;
	unsigned n_out, n_in;
	size_t out_bytes, in_bytes;
	struct iovec part[VIRTQ_MOST];
};

/* As after a reset of the device: off, of full size. */
void virtq_reset(struct virtq *q, struct machine *m, uint16_t most);
/* The guest has said where the rings are: -1 with a fault if they cannot be there. */
int virtq_turn_on(struct virtq *q, bool has_event_index);
/* The next request: 1; 0 when there is none, then the guest will notify; -1 with a fault. */
int virtq_take(struct virtq *q, struct virtq_chain *ret);
/* Done with a request: `written` bytes of its writable parts, from the first on, are new. */
void virtq_give(struct virtq *q, const struct virtq_chain *c, size_t written);
/* After one or more virtq_give(): the guest wants to be interrupted. */
bool virtq_wants_interrupt(struct virtq *q);

/* Copy up to n bytes at `offset` of what the device reads, or to what it may write; how many. */
size_t virtq_read(const struct virtq_chain *c, size_t offset, void *ret, size_t n);
size_t virtq_write(const struct virtq_chain *c, size_t offset, const void *bytes, size_t n);
