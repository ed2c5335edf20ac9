/* SPDX-License-Identifier: Apache-2.0 */
#include "lapic.h"

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
enum { SOFTWARE_ENABLE = 0x100, PERIODIC = 1 << 17, DIVIDE_BY_1 = 11 };
enum { INIT_ASSERT = 0x4500, STARTUP = 0x4600, NS_PER_S = 1000000000 };

static volatile uint32_t *reg(unsigned offset)
{
	return (volatile uint32_t *)(uintptr_t)(0xfee00000 + offset);
}

void lapic_enable(void)
{
	*reg(SPURIOUS) = SOFTWARE_ENABLE | 0xff;
}

unsigned lapic_id(void)
{
	return *reg(ID) >> 24;
}

void lapic_eoi(void)
{
	*reg(EOI) = 0;
}

void lapic_timer(unsigned vector, unsigned hz)
{
	*reg(TIMER_DIVIDE) = DIVIDE_BY_1;
	*reg(LVT_TIMER) = PERIODIC | vector;
	*reg(TIMER_COUNT) = NS_PER_S / hz;
}

void lapic_wake(unsigned apic_id, uint8_t page)
{
	*reg(ICR_HIGH) = apic_id << 24;
	*reg(ICR_LOW) = INIT_ASSERT;
	*reg(ICR_HIGH) = apic_id << 24;
	*reg(ICR_LOW) = STARTUP | page;
}
