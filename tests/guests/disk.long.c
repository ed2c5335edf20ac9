/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - drives the board's virtio-blk (virtio 1.2, 5.2) with interrupts: over MMIO (`at=ADDRESS line=N`,
 * decimal), over PCI by INTA (`by=intx`), or over PCI by messages. Reads, writes, flushes, discards,
 * writes zeroes; then breaks the device and has it back by a reset. With watch=1 it reads and writes on
 * and on, every time further on, and tells when an answer changes.
 */
#include "board.h"
#include "ioapic.h"
#include "lapic.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { VENDOR = 0x1af4, BLK = 0x1042, BAR = 0xec000000, MSIX_BAR = 0xec100000 };
enum {
	COMMAND = 4,
	BAR0 = 0x10,
	BAR1 = 0x14,
	CAPABILITIES = 0x34,
	ON = 6,
	VENDOR_CAP = 9,
	MSIX = 17
};
enum { COMMON_CFG = 1, NOTIFY_CFG = 2, ISR_CFG = 3 };
enum { READY = 15, FEATURES = 11, DRIVER = 3, NEEDS_RESET = 64 };
enum { WATCH_HZ = 20, PAGE = 4096 };
enum { IN = 0, OUT = 1, FLUSH = 4, DISCARD = 11, ZEROES = 13 };
enum {
	QUEUE = 8,
	SECTOR = 512,
	F_NEXT = 1,
	F_WRITE = 2,
	F_FLUSH = 9,
	F_DISCARD = 13,
	F_ZEROES = 14
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
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} head;
static volatile uint8_t status_byte;
static uint8_t data[2 * SECTOR];

static uint32_t slot; /* as CONFIG_ADDRESS has it */
static uint64_t base; /* of the registers */
static uint64_t notify_at, isr_at;
static int is_mmio, is_intx;
static volatile unsigned n_interrupts;

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

static volatile uint32_t *at32(uint64_t gpa)
{
	return (volatile uint32_t *)(uintptr_t)gpa;
}

static volatile uint16_t *at16(uint64_t gpa)
{
	return (volatile uint16_t *)(uintptr_t)gpa;
}

static volatile uint8_t *at8(uint64_t gpa)
{
	return (volatile uint8_t *)(uintptr_t)gpa;
}

static void interrupted(void)
{
	n_interrupts++;
	if (is_mmio)
		*at32(base + 0x64) = *at32(base + 0x60);
	else if (is_intx)
		(void)*at8(isr_at);
	lapic_eoi();
}

static unsigned status(void)
{
	return is_mmio ? *at32(base + 0x70) : *at8(base + 20);
}

static void set_status(uint8_t value)
{
	if (is_mmio)
		*at32(base + 0x70) = value;
	else
		*at8(base + 20) = value;
}

static void accept(uint32_t half, uint32_t bits)
{
	*at32(base + (is_mmio ? 0x24 : 8)) = half;
	*at32(base + (is_mmio ? 0x20 : 12)) = bits;
}

static void set_address(unsigned mmio, unsigned common, const void *p)
{
	*at32(base + (is_mmio ? mmio : common)) = (uint32_t)(uintptr_t)p;
	*at32(base + (is_mmio ? mmio : common) + 4) = 0;
}

static void set_up(void)
{
	available.index = used.index = 0;
	set_status(0);
	set_status(DRIVER);
	accept(0, 1u << F_FLUSH | 1u << F_DISCARD | 1u << F_ZEROES);
	accept(1, 1);
	set_status(FEATURES);
	if (is_mmio) {
		*at32(base + 0x30) = 0;
		*at32(base + 0x38) = QUEUE;
	} else {
		*at16(base + 22) = 0;
		*at16(base + 24) = QUEUE;
		*at16(base + 26) = 0; /* message 0 */
	}
	set_address(0x80, 32, table);
	set_address(0x90, 40, &available);
	set_address(0xa0, 48, &used);
	if (is_mmio)
		*at32(base + 0x44) = 1;
	else
		*at16(base + 28) = 1;
	set_status(READY);
}

static void offer(void)
{
	__atomic_store_n(&available.index, available.index + 1, __ATOMIC_RELEASE);
	if (is_mmio)
		*at32(notify_at) = 0;
	else
		*at16(notify_at) = 0;
}

static void put(unsigned i, volatile void *p, uint32_t len, uint16_t flags)
{
	table[i].addr = (uintptr_t)p;
	table[i].len = len;
	table[i].flags = flags;
	table[i].next = (uint16_t)(i + 1);
}

/* Its status byte, once the device has interrupted. */
static unsigned request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	const unsigned before = n_interrupts;
	const uint16_t done = used.index;

	head.type = type;
	head.sector = sector;
	status_byte = 0xee;
	put(0, &head, sizeof head, F_NEXT);
	put(1, data, bytes, F_NEXT | (type == IN ? F_WRITE : 0));
	put(2, &status_byte, 1, F_WRITE);
	offer();
	while (n_interrupts == before || used.index == done)
		port_sleep();
	return status_byte;
}

static unsigned clear(uint32_t type, uint64_t sector, uint32_t n)
{
	*(uint64_t *)(void *)data = sector;
	*(uint32_t *)(void *)(data + 8) = n;
	*(uint32_t *)(void *)(data + 12) = 0;
	return request(type, 0, 16);
}

static void find_structures(void)
{
	for (unsigned c = config(CAPABILITIES) & 0xfc; c; c = config(c + 1) & 0xfc) {
		const unsigned id = config(c) & 0xff, type = config(c + 3) & 0xff;

		if (id == MSIX && !is_intx) {
			set_config(c, (config(c) & 0xffff) | 0x80000000);
		} else if (id == VENDOR_CAP) {
			const uint64_t at = BAR + config(c + 8);

			if (type == COMMON_CFG)
				base = at;
			else if (type == NOTIFY_CFG)
				notify_at = at;
			else if (type == ISR_CFG)
				isr_at = at;
		}
	}
}

/* By PCI; returns the line of its INTA. */
static unsigned find(void)
{
	for (uint32_t device = 0; device < 32; device++) {
		slot = 0x80000000 | device << 11;
		if (config(0) != (VENDOR | (uint32_t)BLK << 16))
			continue;
		set_config(BAR0, BAR);
		set_config(BAR1, MSIX_BAR);
		set_config(COMMAND, ON);
		find_structures();
		*at32(MSIX_BAR) = 0xfee00000 | lapic_id() << 12;
		*at32(MSIX_BAR + 4) = 0;
		*at32(MSIX_BAR + 8) = TRAP_UART;
		*at32(MSIX_BAR + 12) = 0;
		return config(0x3c) & 0xff;
	}
	return 0;
}

static unsigned differ(unsigned from, unsigned n, uint8_t value)
{
	unsigned wrong = 0;

	for (unsigned i = from; i < from + n; i++)
		wrong += data[i] != value;
	return wrong;
}

static void tick(void)
{
	lapic_eoi();
}

static void watch(void)
{
	unsigned before = 0xffff;

	trap_handle(TRAP_TIMER, tick);
	lapic_timer(TRAP_TIMER, WATCH_HZ);
	for (uint64_t sector = 0;; sector += PAGE / SECTOR) {
		const unsigned r = request(IN, sector, SECTOR), w = request(OUT, sector, SECTOR);

		if ((r << 8 | w) != before)
			say("disk: read %u, write %u\n", r, w);
		before = r << 8 | w;
		port_sleep();
	}
}

static void work(void)
{
	unsigned r = request(IN, 3, 2 * SECTOR);

	say("disk: read %u, %u wrong\n", r, differ(0, SECTOR, 3) + differ(SECTOR, SECTOR, 4));
	for (unsigned i = 0; i < SECTOR; i++)
		data[i] = 0xab;
	r = request(OUT, 2, SECTOR);
	say("disk: write %u\n", r);
	say("disk: flush %u\n", request(FLUSH, 0, 0));
	say("disk: discard %u\n", clear(DISCARD, 8, 4));
	say("disk: zeroes %u\n", clear(ZEROES, 5, 1));
	r = request(IN, 5, SECTOR);
	say("disk: zeroes read %u, %u wrong\n", r, differ(0, SECTOR, 0));
	say("disk: beyond its end %u\n", request(IN, 16, SECTOR));
	say("disk: %u used, %u interrupts\n", (unsigned)used.index, n_interrupts);
}

void guest_main(const struct pvh_info *info)
{
	struct board board;
	unsigned line = (unsigned)pvh_number(info, "line", 0), r;

	board_read(info, &board);
	trap_load();
	lapic_enable();
	trap_handle(TRAP_UART, interrupted);
	base = pvh_number(info, "at", 0);
	is_mmio = base != 0;
	is_intx = pvh_is(info, "by", "intx");
	if (is_mmio)
		notify_at = base + 0x50;
	else
		line = find();
	if (!base) {
		say("disk: there is none\n");
		return;
	}
	if (is_mmio || is_intx)
		ioapic_route(board.ioapic_gpa, line, TRAP_UART);
	set_up();
	if (pvh_is(info, "watch", "1"))
		watch();
	work();
	put(0, &head, sizeof head, 0); /* nowhere to put a status */
	offer();
	while (!(status() & NEEDS_RESET))
		;
	say("disk: it needs a reset\n");
	set_up();
	r = request(IN, 2, SECTOR);
	say("disk: read after it %u, %u wrong\n", r, differ(0, SECTOR, 0xab));
}
