/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio.h - the start of a virtio device (virtio 1.2, 3.1) on the PCI bus (4.1) or over MMIO (4.2), and
 * its virtqueues (2.7), by an address of one kind for either: what drives the device is the guest's.
 * Guests; all memory is below 4 GiB and mapped to itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_QUEUE = 8, VIRTIO_NO_VECTOR = 0xffff };
enum { VIRTIO_F_NEXT = 1, VIRTIO_F_WRITE = 2, VIRTIO_NEEDS_RESET = 64 };

struct virtio_queue {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} table[VIRTIO_QUEUE] __attribute__((aligned(16)));
	struct {
		uint16_t flags;
		volatile uint16_t index;
		uint16_t ring[VIRTIO_QUEUE];
	} available __attribute__((aligned(4)));
	struct {
		uint16_t flags;
		volatile uint16_t index;
		struct {
			uint32_t id, len;
		} ring[VIRTIO_QUEUE];
	} used __attribute__((aligned(4)));
	uint64_t bell;	    /* where the guest rings for it */
	bool has_wide_bell; /* MMIO */
};

struct virtio {
	bool is_mmio;
	unsigned device; /* on the PCI bus */
	uint64_t base;	 /* of the common structure, or of the registers */
	uint64_t notify, isr, config;
	uint32_t multiplier; /* 4.1.4.4 */
};

/* The first function of that virtio id (1 = net, 2 = disk, ...), its BAR 0 moved to `bar`. False if there is none. */
bool virtio_find(struct virtio *v, unsigned id, uint32_t bar);
/* The one with its registers there. */
void virtio_at(struct virtio *v, uint64_t registers);
/* Its interrupts as messages, by the table that BAR 1 is moved to; message 0 is that vector. */
void virtio_messages(const struct virtio *v, uint32_t bar, uint8_t vector);
/* Take an interrupt from its line: INTA or MMIO. */
void virtio_acknowledge(const struct virtio *v);

/* Reset it, and accept VERSION_1 and of these of the first 32 features what it offers. */
void virtio_begin(const struct virtio *v, uint32_t features);
/* Its queue, empty, with that message: VIRTIO_NO_VECTOR = none. */
void virtio_turn_on(const struct virtio *v, unsigned queue, struct virtio_queue *q,
		    uint16_t vector);
void virtio_ready(const struct virtio *v);
unsigned virtio_status(const struct virtio *v);
void virtio_set_status(const struct virtio *v, uint8_t status);
bool virtio_is_on(const struct virtio *v, unsigned queue);

void virtio_put(struct virtio_queue *q, unsigned i, const volatile void *at, uint32_t bytes,
		uint16_t flags); /* its next one is i + 1 */
/* The chain that begins there, and ring. */
void virtio_offer(struct virtio_queue *q, unsigned queue, unsigned i);
