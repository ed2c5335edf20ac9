/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esb - starts the PCI watchdog i6300esb as Linux's driver does (drivers/watchdog/i6300esb.c) with two
 * stages of a second, feeds it twice a second feed=N times (4 as it is) and then hangs, awake. With
 * then=stop it stops the dog, outlives its time and powers off; with then=locked it locks the dog first,
 * so that the stop is in vain, and gives it twice its time.
 */
#include "lapic.h"
#include "pci.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { ESB = 0x25ab8086, CONFIG = 0x60, LOCK = 0x68, ENABLE = 2, LOCKED = 1 };
enum { TIMER_1 = 0x0, TIMER_2 = 0x4, RELOAD = 0xc, RELOAD_NOW = 0x100, TIMED_OUT = 0x200 };
enum { HZ = 2, LIMIT_S = 2, FEEDS = 4, INTERRUPT_OFF = 3 };

static uintptr_t bar;

static void tick(void)
{
	lapic_eoi();
}

static void write16(unsigned offset, uint16_t value)
{
	*(volatile uint16_t *)(bar + offset) = value;
}

static void unlock(void)
{
	write16(RELOAD, 0x80);
	write16(RELOAD, 0x86);
}

static void feed(void)
{
	unlock();
	write16(RELOAD, RELOAD_NOW);
}

static void set_timer(unsigned offset)
{
	unlock();
	*(volatile uint32_t *)(bar + offset) = LIMIT_S << 9;
}

static void start(unsigned device, uint8_t lock)
{
	pci_set16(device, PCI_COMMAND, PCI_MEMORY);
	bar = pci_get(device, PCI_BAR0) & 0xfffffff0;
	pci_set16(device, CONFIG, INTERRUPT_OFF);
	pci_set8(device, LOCK, 0);
	unlock();
	write16(RELOAD, TIMED_OUT | RELOAD_NOW);
	set_timer(TIMER_1);
	set_timer(TIMER_2);
	feed();
	pci_set8(device, LOCK, ENABLE | lock);
}

void guest_main(const struct pvh_info *info)
{
	const unsigned feeds = (unsigned)pvh_number(info, "feed", FEEDS);
	const int is_locked = pvh_is(info, "then", "locked");
	const int device = pci_find(ESB);

	if (device < 0) {
		say("esb: there is no i6300esb on the bus\n");
		return;
	}
	trap_load();
	trap_handle(TRAP_TIMER, tick);
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	start((unsigned)device, is_locked ? LOCKED : 0);
	say("esb: started\n");
	for (unsigned i = 1; i <= feeds; i++) {
		port_sleep();
		feed();
		say("esb: fed %u of %u\n", i, feeds);
	}
	if (is_locked || pvh_is(info, "then", "stop")) {
		pci_set8((unsigned)device, LOCK, 0);
		say("esb: stopped, it reads %x\n", (uint64_t)(pci_get((unsigned)device, LOCK) & 7));
		for (unsigned i = 0; i <= (is_locked ? 2 : 1) * LIMIT_S * HZ; i++)
			port_sleep();
		say("esb: nothing has bitten me, good night\n");
		return;
	}
	say("esb: I hang\n");
	for (;;)
		port_sleep();
}
