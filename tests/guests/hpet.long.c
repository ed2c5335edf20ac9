/* SPDX-License-Identifier: Apache-2.0 */
/* hpet - counts the ticks of the HPET's timer 0: periodic, 100 Hz, edge, through the I/O APIC. */
#include "board.h"
#include "ioapic.h"
#include "lapic.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { HPET = 0xfed00000, LINE = 11, TIMER = 2, HZ = 100, TICKS = 20 };

static volatile unsigned ticks;

static volatile uint64_t *reg(unsigned at)
{
	return (volatile uint64_t *)(uintptr_t)(HPET + at);
}

static void tick(void)
{
	ticks++;
	lapic_eoi();
}

void guest_main(const struct pvh_info *info)
{
	uint64_t fs = *reg(0) >> 32, period = 1000000000000000 / fs / HZ, began;
	unsigned timer = 0x100 + 0x20 * TIMER;
	struct board board;

	board_read(info, &board);
	trap_load();
	trap_handle(TRAP_TIMER, tick);
	lapic_enable();
	ioapic_route(board.ioapic_gpa, LINE, TRAP_TIMER);
	say("hpet: %u timers\n", (uint64_t)((*reg(0) >> 8 & 31) + 1));
	*reg(0xf0) = 0;
	*reg(timer) = 1 << 2 | 1 << 3 | 1 << 6;
	*reg(timer + 8) = period;
	*reg(timer + 8) = period;
	*reg(0x10) = 1;
	began = *reg(0xf0);
	while (ticks < TICKS)
		port_sleep();
	say("hpet: %u ticks, %s\n", (uint64_t)ticks,
	    *reg(0xf0) - began >= (TICKS - 1) * period ? "none too early" : "too early");
}
