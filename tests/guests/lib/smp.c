/* SPDX-License-Identifier: Apache-2.0 */
#include "smp.h"

#include <stddef.h>

#include "lapic.h"
#include "trap.h"

enum { TRAMPOLINE_PAGE = 8 };

void *memcpy(void *to, const void *from, size_t n);
void smp_main(void);
void smp_enter64(void);

extern const uint8_t smp_trampoline[], smp_trampoline_end[];
extern uint64_t start_ap64;

/* Used by smp_enter64 before there is a stack. */
volatile uint32_t smp_arrived;
uint8_t smp_stacks[SMP_CPUS][4096] __attribute__((aligned(16)));

static void (*volatile job)(unsigned apic_id);

void smp_main(void)
{
	trap_load();
	lapic_enable();
	job(lapic_id());
}

void smp_wake(unsigned apic_id, void (*fn)(unsigned apic_id))
{
	void *low = (void *)(uintptr_t)(TRAMPOLINE_PAGE << 12);

	memcpy(low, smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
	start_ap64 = (uintptr_t)smp_enter64;
	job = fn;
	lapic_wake(apic_id, TRAMPOLINE_PAGE);
}

void smp_lock(volatile uint32_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

void smp_unlock(volatile uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
