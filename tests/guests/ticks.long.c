/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticks - counts the ticks of its local APIC's timer aloud, until its power button is pressed, or 'q'
 * (power off) or 't' (triple fault) is typed; a capital letter does the same SOON ticks later.
 */
#include "board.h"
#include "lapic.h"
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"
#include "uart.h"

enum { HZ = 50, SOON = 50 };

static volatile unsigned ticks;

static void tick(void)
{
	ticks++;
	lapic_eoi();
}

static void fall(void)
{
	static const struct {
		unsigned short limit;
		unsigned long base;
	} __attribute__((packed)) none;

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

void guest_main(const struct pvh_info *info)
{
	unsigned said = 0, due = 0;
	int what = 0;

	(void)info;
	trap_load();
	trap_handle(TRAP_TIMER, tick);
	power_button_enable();
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	for (;;) {
		int c = uart_take();

		if (c > 0) {
			due = ticks + (c < 'a' ? SOON : 0);
			what = c < 'a' ? c - 'A' + 'a' : c;
		}
		if (power_button_pressed() || (what == 'q' && ticks >= due))
			return;
		if (what == 't' && ticks >= due)
			fall();
		while (said < ticks)
			say("tick %u\n", ++said);
		port_sleep();
	}
}
