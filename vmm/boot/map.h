/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - the memory map that boot protocols hand to the guest. Worker; assembly only.
 */
#pragma once

#include <stdint.h>

struct image_guest;

enum map_type { MAP_RAM = 1, MAP_RESERVED = 2, MAP_ACPI = 3 }; /* E820's, ACPI 6.4 table 15.4 */

struct map_entry {
	uint64_t gpa, bytes;
	enum map_type type;
};

/* Most entries that this guest's map can have. */
unsigned map_most(const struct image_guest *g);
/* Ascending: RAM, ROM as reserved, the ACPI tables cut out of their RAM. Returns how many. */
unsigned map_make(const struct image_guest *g, struct map_entry *ret);
/* KiB of RAM from 0 (at most 640, up to the boot parameters) and from 1 MiB on, without a gap: what
 * multiboot calls the lower and upper memory. */
void map_kib(const struct image_guest *g, uint32_t *ret_lower, uint32_t *ret_upper);
/* Where a BIOS leaves the lower memory in KiB, 40:13 (IBM PC/AT technical reference, BIOS data area): kernels
 * that come by multiboot look there, for their boot loaders have run on one. Last of all. */
void map_leave_bios_data(const struct image_guest *g);
