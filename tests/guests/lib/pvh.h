/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvh.h - what the loader tells a PVH guest (Xen's include/public/arch-x86/hvm/start_info.h).
 * The loader leaves its address in EBX; start_long.S hands it to guest_main().
 */
#pragma once

#include <stdint.h>

enum { PVH_MAGIC = 0x336ec578, PVH_RAM = 1 };

struct pvh_memory {
	uint64_t gpa, bytes;
	uint32_t type, reserved;
};

struct pvh_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modules_gpa, cmdline_gpa, rsdp_gpa, memory_gpa; /* the last since version 1 */
	uint32_t n_memory, reserved;
};

_Static_assert(sizeof(struct pvh_info) == 56, "as in Xen's start_info.h");

/* All RAM of the memory map; 0 when the loader gave no map. */
uint64_t pvh_ram_bytes(const struct pvh_info *info);
/* The word after NAME= on the command line, or NULL. Ends at a space or at the end of the line. */
const char *pvh_option(const struct pvh_info *info, const char *name);
/* NAME=NUMBER of the command line (decimal), or otherwise `fallback`. */
uint64_t pvh_number(const struct pvh_info *info, const char *name, uint64_t fallback);
/* NAME=WORD of the command line is exactly `word`. */
int pvh_is(const struct pvh_info *info, const char *name, const char *word);

/* Every long-mode guest defines this; returning from it powers off. */
void guest_main(const struct pvh_info *info);
