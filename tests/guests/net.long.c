/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - finds a virtio-net by the ports of PCI, sends a frame now and then, polling, and tells whom it
 * hears (virtio 1.2, 3.1, 4.1 and 5.1). Each boot has a number of its own in its frames.
 */
#include "pvh.h"
#include "say.h"
#include "virtio.h"

enum { NET = 1, MOVED = 0xec000000, RX = 0, TX = 1, F_MAC = 1u << 5, F_STATUS = 1u << 16 };
enum { HEADER = 12, BUFFER = 2048, FRAME = HEADER + 64, PAUSE = 20000, TYPE_AT = 24 };
enum { NONCE_AT = 26, MARK = 0xb588 /* 0x88b5: for local experiments, big endian */ };

static struct virtio_queue queues[2];
static uint8_t buffer[2][VIRTIO_QUEUE][BUFFER];
static uint16_t n_heard;

static void set_up(const struct virtio *v)
{
	virtio_begin(v, F_MAC | F_STATUS);
	for (unsigned i = 0; i < 2; i++) {
		virtio_turn_on(v, i, &queues[i], VIRTIO_NO_VECTOR);
		for (unsigned k = 0; k < VIRTIO_QUEUE; k++)
			virtio_put(&queues[i], k, buffer[i][k], i == RX ? BUFFER : FRAME,
				   i == RX ? VIRTIO_F_WRITE : 0);
	}
	virtio_ready(v);
	for (unsigned k = 0; k < VIRTIO_QUEUE; k++)
		virtio_offer(&queues[RX], RX, k);
}

static uint32_t time_stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | 1;
}

static void send(const volatile uint8_t *mac, uint32_t nonce)
{
	struct virtio_queue *q = &queues[TX];
	uint8_t *frame = buffer[TX][0];

	if (q->used.index != q->available.index)
		return; /* the one before is still on its way */
	for (unsigned i = 0; i < FRAME; i++)
		frame[i] = 0;
	for (unsigned i = 0; i < 6; i++) {
		frame[HEADER + i] = 0xff;
		frame[HEADER + 6 + i] = mac[i];
	}
	*(uint16_t *)(void *)(frame + TYPE_AT) = MARK;
	*(uint32_t *)(void *)(frame + NONCE_AT) = nonce;
	virtio_offer(q, TX, 0);
}

/* True if somebody was heard who had not been before. */
static void hear(uint32_t *last)
{
	struct virtio_queue *q = &queues[RX];

	while (n_heard != q->used.index) {
		unsigned id = q->used.ring[n_heard++ % VIRTIO_QUEUE].id % VIRTIO_QUEUE;
		const uint8_t *frame = buffer[RX][id];
		uint32_t nonce = *(const uint32_t *)(const void *)(frame + NONCE_AT);

		if (*(const uint16_t *)(const void *)(frame + TYPE_AT) == MARK && nonce != *last) {
			*last = nonce;
			say("net: hears %x from %x:%x\n", nonce, frame[HEADER + 6],
			    frame[HEADER + 11]);
		}
		virtio_offer(q, RX, id);
	}
}

void guest_main(const struct pvh_info *info)
{
	volatile uint8_t *own;
	struct virtio v;
	uint32_t last = 0, nonce = time_stamp();
	uint16_t link = 2;

	(void)info;
	if (!virtio_find(&v, NET, MOVED)) {
		say("net: no virtio-net on the bus\n");
		return;
	}
	own = (volatile uint8_t *)(uintptr_t)v.config;
	set_up(&v);
	say("net: I am %x, my address is %x:%x:%x:%x:%x:%x\n", nonce, own[0], own[1], own[2],
	    own[3], own[4], own[5]);
	for (;;) {
		uint16_t now = *(volatile uint16_t *)(own + 6);

		if (now != link)
			say("net: the link is %s\n", now ? "up" : "down");
		link = now;
		send(own, nonce);
		hear(&last);
		for (volatile unsigned i = 0; i < PAUSE; i++)
			;
	}
}
