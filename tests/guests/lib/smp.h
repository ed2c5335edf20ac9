/* SPDX-License-Identifier: Apache-2.0 */
/* smp.h - waking the other vCPUs of the board. Guests. */
#pragma once

#include <stdint.h>

enum { SMP_CPUS = 1024 };

/* Bring a vCPU into long mode on its own stack; it runs `fn(apic_id)` and halts for good after it. */
void smp_wake(unsigned apic_id, void (*fn)(unsigned apic_id));

void smp_lock(volatile uint32_t *lock);
void smp_unlock(volatile uint32_t *lock);
