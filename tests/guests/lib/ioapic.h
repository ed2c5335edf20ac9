/* SPDX-License-Identifier: Apache-2.0 */
/* ioapic.h - the board's I/O APIC (Intel 82093AA data sheet). Guests. */
#pragma once

#include <stdint.h>

/* Route a line, edge triggered, to `vector` of the boot vCPU. The 8259s, which see the same lines and
 * are open when the board is switched on, are shut. */
void ioapic_route(uint32_t ioapic_gpa, unsigned line, unsigned vector);
