/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board.h - what a guest has to know of its board: its vCPUs and where the I/O APIC is. From ACPI's
 * MADT where the loader tells of tables, else from CPUID and by looking at the usual place.
 */
#pragma once

#include <stdint.h>

struct pvh_info;

enum { BOARD_CPUS = 1024 };

struct board {
	unsigned n_cpus;     /* at least 1; never more than BOARD_CPUS */
	uint32_t ioapic_gpa; /* 0 = none */
	uint16_t apic_id[BOARD_CPUS];
};

void board_read(const struct pvh_info *info, struct board *ret_board);
