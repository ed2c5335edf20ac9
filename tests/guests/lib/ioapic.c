/* SPDX-License-Identifier: Apache-2.0 */
#include "ioapic.h"

#include "port.h"

enum { PIC1_MASK = 0x21, PIC2_MASK = 0xa1 };

static void write(uint32_t gpa, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)gpa = reg;
	*(volatile uint32_t *)(uintptr_t)(gpa + 0x10) = value;
}

void ioapic_route(uint32_t ioapic_gpa, unsigned line, unsigned vector)
{
	port_out8(PIC1_MASK, 0xff);
	port_out8(PIC2_MASK, 0xff);
	write(ioapic_gpa, 0x11 + 2 * line, 0);
	write(ioapic_gpa, 0x10 + 2 * line, vector);
}
