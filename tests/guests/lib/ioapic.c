/* SPDX-License-Identifier: Apache-2.0 */
#include "ioapic.h"

static void write(uint32_t gpa, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)gpa = reg;
	*(volatile uint32_t *)(uintptr_t)(gpa + 0x10) = value;
}

void ioapic_route(uint32_t ioapic_gpa, unsigned line, unsigned vector)
{
	write(ioapic_gpa, 0x11 + 2 * line, 0);
	write(ioapic_gpa, 0x10 + 2 * line, vector);
}
