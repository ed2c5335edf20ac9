/* SPDX-License-Identifier: Apache-2.0 */
/* ioapic.h - the board's I/O APIC (Intel 82093AA data sheet). Guests. */
#pragma once

#include <stdint.h>

/* Route a line, edge triggered, to `vector` of the boot vCPU. */
void ioapic_route(uint32_t ioapic_gpa, unsigned line, unsigned vector);
