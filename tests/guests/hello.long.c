/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello - greets, then keeps you company for as long as somebody listens.
 *
 * Alone (no carrier on the serial line: nobody can type) it says good night and powers off. Under
 * the supervisor, where the console has an input side, it stays: it sleeps until the local APIC's
 * timer wakes it, looks for the power button and for input, and tells now and then that it lives.
 */
#include "board.h"
#include "lapic.h"
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"
#include "uart.h"

enum { HZ = 20, WORD_EVERY_S = 5 };

static void tick(void)
{
	lapic_eoi();
}

static void greet(const struct pvh_info *info)
{
	struct board b;

	board_read(info, &b);
	say("\n  Hello! I am a guest of qvm.\n");
	say("  I run in 64-bit long mode on %u vCPU%s with %U MiB of RAM.\n", b.n_cpus,
	    b.n_cpus == 1 ? "" : "s", (pvh_ram_bytes(info) + (1 << 19)) >> 20);
	if (info->cmdline_gpa && *(const char *)(uintptr_t)info->cmdline_gpa)
		say("  You told me: %s\n", (const char *)(uintptr_t)info->cmdline_gpa);
}

/* Until the button or a typed 'q'. */
static const char *stay(void)
{
	bool is_midline = false;

	trap_load();
	trap_handle(TRAP_TIMER, tick);
	power_button_enable();
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	for (unsigned ticks = 1;; ticks++) {
		port_sleep();
		for (int c = uart_take(); c >= 0; c = uart_take()) {
			if (c == 'q')
				return "you typed q";
			say("%c", c == '\r' ? '\n' : c);
			is_midline = c != '\r' && c != '\n';
		}
		if (power_button_pressed())
			return "the power button was pressed";
		if (ticks % (HZ * WORD_EVERY_S))
			continue;
		say("%s  alive %u s\n", is_midline ? "\n" : "", ticks / HZ);
		is_midline = false;
	}
}

void guest_main(const struct pvh_info *info)
{
	greet(info);
	if (!uart_is_listened()) {
		say("  Nobody can type to me here (no carrier on my serial line).\n"
		    "  Good night: I switch myself off.\n\n");
		return;
	}
	say("  I stay until my power button is pressed, or q is typed.\n"
	    "  What else you type I repeat.\n\n");
	say("  Goodbye, %s.\n\n", stay());
}
