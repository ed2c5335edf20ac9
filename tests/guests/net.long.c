/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - finds a virtio-net by the ports of PCI, sends a frame now and then, polling, and tells whom it
 * hears (virtio 1.2, 3.1, 4.1 and 5.1). Each boot has a number of its own in its frames.
 */
#include "port.h"
#include "pvh.h"
#include "say.h"

enum { VENDOR = 0x1af4, NET = 0x1041, MOVED = 0xec000000 };
enum { COMMAND = 4, BAR0 = 0x10, CAPABILITIES = 0x34, MEMORY = 2, MASTER = 4, VENDOR_CAP = 9 };
enum { COMMON_CFG = 1, NOTIFY_CFG = 2, DEVICE_CFG = 4 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { QUEUE = 8, F_WRITE = 2, RX = 0, TX = 1, F_MAC = 1u << 5, F_STATUS = 1u << 16 };
enum { HEADER = 12, BUFFER = 2048, FRAME = HEADER + 64, PAUSE = 20000, TYPE_AT = 24 };
enum { NONCE_AT = 26, MARK = 0xb588 /* 0x88b5: for local experiments, big endian */ };

struct common {
	volatile uint32_t offered_half, offered, accepted_half, accepted;
	volatile uint16_t config_vector, n_queues;
	volatile uint8_t status, generation;
	volatile uint16_t queue, size, vector, enable, notify_off;
	volatile uint32_t desc[2], driver[2], device[2];
};

struct queue {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} table[QUEUE] __attribute__((aligned(16)));
	struct {
		uint16_t flags;
		volatile uint16_t index;
		uint16_t ring[QUEUE];
	} available __attribute__((aligned(4)));
	struct {
		uint16_t flags;
		volatile uint16_t index;
		struct {
			uint32_t id, len;
		} ring[QUEUE];
	} used __attribute__((aligned(4)));
	uint8_t buffer[QUEUE][BUFFER];
	uint16_t seen;
};

static struct queue queues[2];
static volatile uint16_t *bell[2];
static uint32_t slot; /* as CONFIG_ADDRESS has it */

static uint32_t config(unsigned offset)
{
	port_out32(0xcf8, slot | (offset & 0xfc));
	return port_in32(0xcfc) >> 8 * (offset & 3);
}

static void set_config(unsigned offset, uint32_t value)
{
	port_out32(0xcf8, slot | offset);
	port_out32(0xcfc, value);
}

static int find(void)
{
	for (uint32_t device = 0; device < 32; device++) {
		slot = 0x80000000 | device << 11;
		if (config(0) == (VENDOR | (uint32_t)NET << 16))
			return (int)device;
	}
	return -1;
}

/* Where a structure lies; *ret_more: the dword behind the capability. */
static uint32_t structure(unsigned type, uint32_t *ret_more)
{
	for (unsigned c = config(CAPABILITIES) & 0xfc; c; c = config(c + 1) & 0xfc) {
		if ((config(c) & 0xff) != VENDOR_CAP || (config(c + 3) & 0xff) != type)
			continue;
		*ret_more = config(c + 16);
		return MOVED + config(c + 8);
	}
	return 0;
}

static void offer(unsigned which, unsigned i)
{
	struct queue *q = &queues[which];

	q->available.ring[q->available.index % QUEUE] = (uint16_t)i;
	__atomic_store_n(&q->available.index, q->available.index + 1, __ATOMIC_SEQ_CST);
	*bell[which] = (uint16_t)which;
}

static void set_up(struct common *c, uint32_t notify, uint32_t multiplier)
{
	c->status = 0;
	c->status = ACKNOWLEDGE | DRIVER;
	c->accepted_half = 0;
	c->accepted = F_MAC | F_STATUS;
	c->accepted_half = 1;
	c->accepted = 1; /* VERSION_1 */
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
	for (unsigned i = 0; i < 2; i++) {
		struct queue *q = &queues[i];

		c->queue = (uint16_t)i;
		c->size = QUEUE;
		c->desc[0] = (uint32_t)(uintptr_t)q->table;
		c->driver[0] = (uint32_t)(uintptr_t)&q->available;
		c->device[0] = (uint32_t)(uintptr_t)&q->used;
		c->enable = 1;
		bell[i] = (volatile uint16_t *)(uintptr_t)(notify + c->notify_off * multiplier);
		for (unsigned k = 0; k < QUEUE; k++) {
			q->table[k].addr = (uintptr_t)q->buffer[k];
			q->table[k].len = i == RX ? BUFFER : FRAME;
			q->table[k].flags = i == RX ? F_WRITE : 0;
		}
	}
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
	for (unsigned k = 0; k < QUEUE; k++)
		offer(RX, k);
}

static uint32_t time_stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | 1;
}

static void send(const volatile uint8_t *mac, uint32_t nonce)
{
	struct queue *q = &queues[TX];
	uint8_t *frame = q->buffer[0];

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
	offer(TX, 0);
}

/* True if somebody was heard who had not been before. */
static void hear(uint32_t *last)
{
	struct queue *q = &queues[RX];

	while (q->seen != q->used.index) {
		unsigned id = q->used.ring[q->seen++ % QUEUE].id % QUEUE;
		const uint8_t *frame = q->buffer[id];
		uint32_t nonce = *(const uint32_t *)(const void *)(frame + NONCE_AT);

		if (*(const uint16_t *)(const void *)(frame + TYPE_AT) == MARK && nonce != *last) {
			*last = nonce;
			say("net: hears %x from %x:%x\n", nonce, frame[HEADER + 6],
			    frame[HEADER + 11]);
		}
		offer(RX, id);
	}
}

void guest_main(const struct pvh_info *info)
{
	volatile uint8_t *own;
	struct common *c;
	uint32_t more = 0, notify, last = 0, nonce = time_stamp();
	uint16_t link = 2;

	(void)info;
	if (find() < 0) {
		say("net: no virtio-net on the bus\n");
		return;
	}
	set_config(BAR0, MOVED);
	set_config(COMMAND, MEMORY | MASTER);
	own = (volatile uint8_t *)(uintptr_t)structure(DEVICE_CFG, &more);
	c = (struct common *)(uintptr_t)structure(COMMON_CFG, &more);
	notify = structure(NOTIFY_CFG, &more);
	set_up(c, notify, more);
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
