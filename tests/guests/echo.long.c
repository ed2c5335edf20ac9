/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo - repeats what is typed until Ctrl-D, then powers off. The line is polled a hundred times a
 * second, so an idle echo costs its host next to nothing.
 */
#include "lapic.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"
#include "uart.h"

enum { HZ = 100, CTRL_D = 4 };

static void tick(void)
{
	lapic_eoi();
}

void guest_main(const struct pvh_info *info)
{
	(void)info;
	trap_load();
	trap_handle(TRAP_TIMER, tick);
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	say("echo: type, end with Ctrl-D\n");
	for (;;) {
		for (int c = uart_take(); c >= 0; c = uart_take()) {
			if (c == CTRL_D) {
				say("\nbye\n");
				return;
			}
			say("%c", c == '\r' ? '\n' : c);
		}
		port_sleep();
	}
}
