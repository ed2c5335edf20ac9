/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.h - the little a guest reads of the ACPI tables: how many vCPUs and where the I/O APIC is. */
#pragma once

#include <stdint.h>

struct pvh_info;

struct acpi_board {
	unsigned n_cpus;     /* enabled local APICs of the MADT; 1 without tables */
	uint32_t ioapic_gpa; /* 0 = none told */
	uint8_t apic_id[64]; /* of those vCPUs */
};

void acpi_read(const struct pvh_info *info, struct acpi_board *ret_board);
