/* SPDX-License-Identifier: Apache-2.0 */
#include "lapic.h"

#include "port.h"

enum {
	ID = 0x20,
	EOI = 0xb0,
	SPURIOUS = 0xf0,
	ICR_LOW = 0x300,
	ICR_HIGH = 0x310,
	LVT_TIMER = 0x320,
	TIMER_COUNT = 0x380,
	TIMER_DIVIDE = 0x3e0,
};
enum {
	APIC_BASE = 0x1b,
	APIC_BASE_X2APIC = 1 << 10,
	APIC_BASE_ENABLE = 1 << 11,
	FIRST_MSR = 0x800
};
enum { SOFTWARE_ENABLE = 0x100, PERIODIC = 1 << 17, DIVIDE_BY_1 = 11 };
enum { INIT_ASSERT = 0x4500, STARTUP = 0x4600, NS_PER_S = 1000000000 };

/* Of every vCPU: they change together. */
static int is_x2apic;

static void write(unsigned offset, uint32_t value)
{
	if (is_x2apic)
		port_wrmsr(FIRST_MSR + (offset >> 4), value);
	else
		*(volatile uint32_t *)(uintptr_t)(0xfee00000 + offset) = value;
}

static uint32_t read(unsigned offset)
{
	return is_x2apic ? (uint32_t)port_rdmsr(FIRST_MSR + (offset >> 4))
			 : *(volatile uint32_t *)(uintptr_t)(0xfee00000 + offset);
}

void lapic_use_x2apic(void)
{
	is_x2apic = 1;
}

void lapic_enable(void)
{
	if (is_x2apic)
		port_wrmsr(APIC_BASE, port_rdmsr(APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	write(SPURIOUS, SOFTWARE_ENABLE | 0xff);
}

unsigned lapic_id(void)
{
	return is_x2apic ? read(ID) : read(ID) >> 24;
}

void lapic_eoi(void)
{
	write(EOI, 0);
}

void lapic_timer(unsigned vector, unsigned hz)
{
	write(TIMER_DIVIDE, DIVIDE_BY_1);
	write(LVT_TIMER, PERIODIC | vector);
	write(TIMER_COUNT, NS_PER_S / hz);
}

static void command(unsigned apic_id, uint32_t what)
{
	if (is_x2apic) { /* one register of 64 bits */
		port_wrmsr(FIRST_MSR + (ICR_LOW >> 4), (uint64_t)apic_id << 32 | what);
		return;
	}
	write(ICR_HIGH, apic_id << 24);
	write(ICR_LOW, what);
}

void lapic_wake(unsigned apic_id, uint8_t page)
{
	command(apic_id, INIT_ASSERT);
	command(apic_id, STARTUP | page);
}
