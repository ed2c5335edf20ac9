/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "port.h"
#include "say.h"

enum { PM1_STATUS = 0x600, PM1_ENABLE = 0x602, PM1_CONTROL = 0x604, PM1_BUTTON = 1 << 8 };
enum { S5 = 5 << 10 | 1 << 13 };

__attribute__((noreturn)) static void stop(const char *what)
{
	say("%s did nothing: I stop here\n", what);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void power_off(void)
{
	port_out16(PM1_CONTROL, S5);
	stop("ACPI S5");
}

void power_reset(enum power_reset how)
{
	switch (how) {
	case POWER_I8042: port_out8(0x64, 0xfe); break;
	case POWER_PORT92: port_out8(0x92, 1); break;
	case POWER_CF9: port_out8(0xcf9, 6); break;
	}
	stop("the reset");
}

void power_button_enable(void)
{
	port_out16(PM1_ENABLE, PM1_BUTTON);
}

bool power_button_pressed(void)
{
	if (!(port_in16(PM1_STATUS) & PM1_BUTTON))
		return false;
	port_out16(PM1_STATUS, PM1_BUTTON); /* write one to clear */
	return true;
}
