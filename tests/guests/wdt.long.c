/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wdt - starts the board's watchdog (IB700: Linux's drivers/watchdog/ib700wdt.c) with the shortest
 * time it has, 2 s, feeds it twice a second feed=N times (4 as it is) and then hangs, awake: the dog
 * ends the VM. With then=stop on its command line it stops the dog instead, outlives its time and
 * powers off.
 */
#include "lapic.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { STOP = 0x441, START = 0x443, TWO_SECONDS = 0xe };
enum { HZ = 2, LIMIT_S = 2, FEEDS = 4 };

static void tick(void)
{
	lapic_eoi();
}

static void feed(void)
{
	port_out8(START, TWO_SECONDS);
}

void guest_main(const struct pvh_info *info)
{
	const unsigned feeds = (unsigned)pvh_number(info, "feed", FEEDS);

	trap_load();
	trap_handle(TRAP_TIMER, tick);
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	say("wdt: the dog is off, its port reads %x\n", (uint64_t)port_in8(START));
	feed();
	say("wdt: started, it bites in %u s\n", LIMIT_S);
	for (unsigned i = 1; i <= feeds; i++) {
		port_sleep();
		feed();
		say("wdt: fed %u of %u\n", i, feeds);
	}
	if (pvh_is(info, "then", "stop")) {
		port_out8(STOP, 0);
		say("wdt: stopped\n");
		for (unsigned i = 0; i <= LIMIT_S * HZ; i++)
			port_sleep();
		say("wdt: nothing has bitten me, good night\n");
		return;
	}
	say("wdt: I hang\n");
	for (;;)
		port_sleep();
}
