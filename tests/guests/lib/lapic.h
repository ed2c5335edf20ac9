/* SPDX-License-Identifier: Apache-2.0 */
/* lapic.h - the vCPU's local APIC: in xAPIC mode at 0xfee00000, or in x2APIC mode by MSRs (Intel SDM vol. 3,
 * chapter 11, 11.12). */
#pragma once

#include <stdint.h>

/* From the next lapic_enable() on, which the boot vCPU does before it wakes others. */
void lapic_use_x2apic(void);
void lapic_enable(void);
unsigned lapic_id(void);
void lapic_eoi(void);
/* Interrupt this vCPU `hz` times a second on `vector`. KVM's local APIC counts nanoseconds. */
void lapic_timer(unsigned vector, unsigned hz);
/* INIT and SIPI to one vCPU, which starts in real mode at page << 12. */
void lapic_wake(unsigned apic_id, uint8_t page);
