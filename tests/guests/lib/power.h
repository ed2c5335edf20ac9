/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power.h - the board's ACPI fixed hardware (ACPI 6.4, 4.8.3) and the ways a PC is reset. Guests.
 * PM1a event block at I/O 0x600, PM1a control at 0x604, no SCI needed: the status is polled.
 */
#pragma once

#include <stdbool.h>

enum power_reset { POWER_I8042, POWER_PORT92, POWER_CF9 };

/* S5. If the board has no such switch, says so and stops for good. */
__attribute__((noreturn)) void power_off(void);
__attribute__((noreturn)) void power_reset(enum power_reset how);
/* Let the power button set its status bit. */
void power_button_enable(void);
/* The button was pressed since the last call. */
bool power_button_pressed(void);
