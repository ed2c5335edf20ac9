/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - drives the board's virtio-blk (virtio 1.2, 5.2) with interrupts: over MMIO (`at=ADDRESS line=N`,
 * decimal), over PCI by INTA (`by=intx`), or over PCI by messages. Reads, writes, flushes, discards,
 * writes zeroes; then breaks the device and has it back by a reset.
 *
 * With watch=1 it reads and writes on and on, every time further on, and tells when an answer changes.
 * With `then=obey` it does what is typed, with sector=N: r w f d z, a line with the status for each; q
 * ends it.
 */
#include "board.h"
#include "ioapic.h"
#include "lapic.h"
#include "pci.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"
#include "uart.h"
#include "virtio.h"

enum { BLK = 2, BAR = 0xec000000, MSIX_BAR = 0xec100000 };
enum { IN = 0, OUT = 1, FLUSH = 4, DISCARD = 11, ZEROES = 13 };
enum { SECTOR = 512, F_FLUSH = 9, F_DISCARD = 13, F_ZEROES = 14, HZ = 100 };
enum { WATCH_HZ = 20, PAGE = 4096 };

static struct {
	uint32_t type, reserved;
	uint64_t sector;
} head;
static volatile uint8_t status_byte;
static uint8_t data[2 * SECTOR];

static struct virtio disk;
static struct virtio_queue queue;
static int has_line;
static volatile unsigned n_interrupts;

static void interrupted(void)
{
	n_interrupts++;
	if (has_line)
		virtio_acknowledge(&disk);
	lapic_eoi();
}

static void tick(void)
{
	lapic_eoi();
}

static void set_up(void)
{
	virtio_begin(&disk, 1u << F_FLUSH | 1u << F_DISCARD | 1u << F_ZEROES);
	virtio_turn_on(&disk, 0, &queue, 0);
	virtio_ready(&disk);
}

/* Its status byte, once the device has interrupted. */
static unsigned request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	const unsigned before = n_interrupts;
	const uint16_t done = queue.used.index;

	head.type = type;
	head.sector = sector;
	status_byte = 0xee;
	virtio_put(&queue, 0, &head, sizeof head, VIRTIO_F_NEXT);
	virtio_put(&queue, 1, data, bytes, VIRTIO_F_NEXT | (type == IN ? VIRTIO_F_WRITE : 0));
	virtio_put(&queue, 2, &status_byte, 1, VIRTIO_F_WRITE);
	virtio_offer(&queue, 0, 0);
	while (n_interrupts == before || queue.used.index == done)
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

static unsigned differ(unsigned from, unsigned n, uint8_t value)
{
	unsigned wrong = 0;

	for (unsigned i = from; i < from + n; i++)
		wrong += data[i] != value;
	return wrong;
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
	say("disk: %u used, %u interrupts\n", (unsigned)queue.used.index, n_interrupts);
}

static unsigned do_one(int order, uint64_t sector)
{
	switch (order) {
	case 'r': return request(IN, sector, SECTOR);
	case 'w': return request(OUT, sector, SECTOR);
	case 'f': return request(FLUSH, 0, 0);
	case 'd': return clear(DISCARD, sector, 1);
	default: return clear(ZEROES, sector, 1);
	}
}

static void obey(uint64_t sector)
{
	trap_handle(TRAP_TIMER, tick);
	lapic_timer(TRAP_TIMER, HZ);
	say("disk: I listen\n");
	for (int c = 0; c != 'q'; c = uart_take()) {
		if (c == 'r' || c == 'w' || c == 'f' || c == 'd' || c == 'z')
			say("disk: %c %u\n", c, do_one(c, sector));
		else
			port_sleep();
	}
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

static int find(const struct pvh_info *info, const struct board *board)
{
	const uint64_t registers = pvh_number(info, "at", 0);
	unsigned line = (unsigned)pvh_number(info, "line", 0);

	has_line = registers || pvh_is(info, "by", "intx");
	if (registers)
		virtio_at(&disk, registers);
	else if (!virtio_find(&disk, BLK, BAR))
		return 0;
	if (!has_line)
		virtio_messages(&disk, MSIX_BAR, TRAP_UART);
	else if (!registers)
		line = pci_get(disk.device, PCI_INTERRUPT) & 0xff;
	if (has_line)
		ioapic_route(board->ioapic_gpa, line, TRAP_UART);
	return 1;
}

void guest_main(const struct pvh_info *info)
{
	struct board board;
	unsigned r;

	board_read(info, &board);
	trap_load();
	lapic_enable();
	trap_handle(TRAP_UART, interrupted);
	if (!find(info, &board)) {
		say("disk: there is none\n");
		return;
	}
	set_up();
	if (pvh_is(info, "watch", "1"))
		watch();
	if (pvh_is(info, "then", "obey")) {
		obey(pvh_number(info, "sector", 0));
		return;
	}
	work();
	virtio_put(&queue, 0, &head, sizeof head, 0); /* nowhere to put a status */
	virtio_offer(&queue, 0, 0);
	while (!(virtio_status(&disk) & VIRTIO_NEEDS_RESET))
		;
	say("disk: it needs a reset\n");
	set_up();
	r = request(IN, 2, SECTOR);
	say("disk: read after it %u, %u wrong\n", r, differ(0, SECTOR, 0xab));
}
