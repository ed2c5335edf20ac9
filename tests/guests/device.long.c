/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - drives a teaching device of qemu (its docs/specs/edu.txt) that it finds in memory at 0x40000000,
 * with its interrupt at line 5, and a network card's ports at 0x5000 (Intel 82574: IOADDR, IODATA).
 */
#include "ioapic.h"
#include "lapic.h"
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { EDU = 0x40000000, EDU_ID = 0, EDU_STATUS = 0x24, EDU_RAISE = 0x60, EDU_ACK = 0x64 };
enum { CARD = 0x5000, CARD_STATUS = 8, CARD_DATA = 4 };
enum { IOAPIC = 0xfec00000, LINE = 5, LEVEL = 1 << 15, VECTOR = TRAP_UART };
enum { UNSERVED = 20, SPINS = 1000 };

static volatile unsigned count, status, n_unserved;

static uint32_t edu(unsigned reg)
{
	return *(volatile uint32_t *)(uintptr_t)(EDU + reg);
}

static void set_edu(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)(EDU + reg) = value;
}

/* It asserts its line until it is told that somebody has seen it. */
static void on_device(void)
{
	count++;
	if (n_unserved) {
		n_unserved--;
	} else {
		status = edu(EDU_STATUS);
		set_edu(EDU_ACK, status);
	}
	lapic_eoi();
}

static void raise_and_wait(uint32_t value)
{
	unsigned before = count;

	status = 0;
	set_edu(EDU_RAISE, value);
	while (status == 0)
		__asm__ volatile("pause");
	say("interrupt %U after %U, status %x\n", (uint64_t)count, (uint64_t)before,
	    (uint64_t)status);
}

void guest_main(const struct pvh_info *info)
{
	(void)info;
	trap_load();
	trap_handle(VECTOR, on_device);
	lapic_enable();
	ioapic_route(IOAPIC, LINE, VECTOR | LEVEL);
	say("device %x\n", (uint64_t)edu(EDU_ID));
	__asm__ volatile("sti");
	for (unsigned i = 1; i <= 3; i++)
		raise_and_wait(i);
	/* What is not served comes again, and again; nobody else has to do with that. */
	n_unserved = UNSERVED;
	raise_and_wait(0x77);
	for (unsigned i = 0; i < SPINS; i++)
		__asm__ volatile("pause");
	say("at rest after %U\n", (uint64_t)count);
	port_out32(CARD, CARD_STATUS);
	say("card %x\n", (uint64_t)port_in32(CARD + CARD_DATA));
	power_off();
}
