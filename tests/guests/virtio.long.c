/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio - finds a virtio-entropy by the ports of PCI, moves its BAR, has it fill a buffer, polling
 * (virtio 1.2, 3.1 and 4.1); then gives it a chain that never ends and takes it back from that.
 */
#include "port.h"
#include "pvh.h"
#include "say.h"

enum { VENDOR = 0x1af4, ENTROPY = 0x1044, MOVED = 0xec000000 };
enum { COMMAND = 4, BAR0 = 0x10, CAPABILITIES = 0x34, MEMORY = 2, MASTER = 4, VENDOR_CAP = 9 };
enum { COMMON_CFG = 1, NOTIFY_CFG = 2 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
enum { QUEUE = 8, BYTES = 64, F_NEXT = 1, F_WRITE = 2, TRIES = 100000 };

struct common {
	volatile uint32_t offered_half, offered, accepted_half, accepted;
	volatile uint16_t config_vector, n_queues;
	volatile uint8_t status, generation;
	volatile uint16_t queue, size, vector, enable, notify_off;
	volatile uint32_t desc[2], driver[2], device[2];
};

static struct {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
} table[QUEUE] __attribute__((aligned(16)));
static struct {
	uint16_t flags;
	volatile uint16_t index;
	uint16_t ring[QUEUE];
} available __attribute__((aligned(4)));
static struct {
	uint16_t flags;
	volatile uint16_t index;
	struct {
		uint32_t id, len;
	} ring[QUEUE];
} used __attribute__((aligned(4)));
static uint8_t buffer[BYTES];

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
		if (config(0) == (VENDOR | (uint32_t)ENTROPY << 16))
			return (int)device;
	}
	return -1;
}

/* Offset in BAR 0 of a structure. */
static uint32_t structure(unsigned type)
{
	for (unsigned c = config(CAPABILITIES) & 0xfc; c; c = config(c + 1) & 0xfc)
		if ((config(c) & 0xff) == VENDOR_CAP && (config(c + 3) & 0xff) == type)
			return config(c + 8);
	return 0xffffffff;
}

static void set_up(struct common *c)
{
	c->status = 0;
	c->status = ACKNOWLEDGE;
	c->status = ACKNOWLEDGE | DRIVER;
	c->accepted_half = 1;
	c->accepted = 1; /* VERSION_1 */
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
	c->queue = 0;
	c->size = QUEUE;
	c->desc[0] = (uint32_t)(uintptr_t)table;
	c->driver[0] = (uint32_t)(uintptr_t)&available;
	c->device[0] = (uint32_t)(uintptr_t)&used;
	c->enable = 1;
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
}

static void offer(uint16_t *notify)
{
	__atomic_store_n(&available.index, available.index + 1, __ATOMIC_RELEASE);
	*(volatile uint16_t *)notify = 0;
}

static unsigned different(void)
{
	uint64_t seen[4] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < BYTES; i++)
		seen[buffer[i] / 64] |= UINT64_C(1) << buffer[i] % 64;
	for (unsigned v = 0; v < 256; v++)
		n += seen[v / 64] >> v % 64 & 1;
	return n;
}

void guest_main(const struct pvh_info *info)
{
	const int device = find();
	struct common *c;
	uint16_t *notify;

	(void)info;
	if (device < 0) {
		say("virtio: no virtio-entropy on the bus\n");
		return;
	}
	set_config(BAR0, 0xffffffff);
	say("virtio: found at device %u, BAR 0 of %u bytes\n", (unsigned)device,
	    ~(config(BAR0) & 0xfffffff0) + 1);
	set_config(BAR0, MOVED);
	set_config(COMMAND, MEMORY | MASTER);
	c = (struct common *)(uintptr_t)(MOVED + structure(COMMON_CFG));
	notify = (uint16_t *)(uintptr_t)(MOVED + structure(NOTIFY_CFG));
	set_up(c);
	table[0].addr = (uintptr_t)buffer;
	table[0].len = BYTES;
	table[0].flags = F_WRITE;
	offer(notify);
	for (unsigned i = 0; i < TRIES && used.index == 0; i++)
		;
	say("virtio: %u used of %u bytes, %s\n", (unsigned)used.index, used.ring[0].len,
	    different() > BYTES / 4 ? "random" : "not random");
	table[0].flags = F_WRITE | F_NEXT;
	table[0].next = 0;
	offer(notify);
	say("virtio: after an endless chain the device %s\n",
	    c->status & NEEDS_RESET ? "needs a reset" : "goes on");
	c->status = 0;
	say("virtio: after its reset the status is %u, the queue %s\n", (unsigned)c->status,
	    c->enable ? "on" : "off");
}
