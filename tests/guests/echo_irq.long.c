/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo_irq - as echo, but nothing is polled: the vCPU halts until the serial port's interrupt comes
 * through the I/O APIC. Without a line that works it stays silent for ever.
 */
#include "board.h"
#include "ioapic.h"
#include "lapic.h"
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"
#include "uart.h"

enum { CTRL_D = 4 };

static volatile unsigned interrupts;
static volatile int is_over;

static void typed(void)
{
	interrupts++;
	for (int c = uart_take(); c >= 0; c = uart_take()) {
		if (c == CTRL_D)
			is_over = 1;
		else
			say("%c", c == '\r' ? '\n' : c);
	}
	lapic_eoi();
}

void guest_main(const struct pvh_info *info)
{
	struct board b;

	board_read(info, &b);
	if (!b.ioapic_gpa) {
		say("echo_irq: the board tells of no I/O APIC\n");
		return;
	}
	trap_load();
	trap_handle(TRAP_UART, typed);
	lapic_enable();
	ioapic_route(b.ioapic_gpa, UART_LINE, TRAP_UART);
	uart_interrupt();
	say("echo_irq: type, end with Ctrl-D\n");
	while (!is_over)
		port_sleep();
	say("\nbye after %s\n", interrupts ? "interrupts" : "none");
}
