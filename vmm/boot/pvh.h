/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvh.h - the Xen PVH boot protocol (Xen, docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/
 * start_info.h): EBX points to a start info with command line, memory map and ramdisk. Worker;
 * assembly only.
 */
#pragma once

#include <stdint.h>

enum { PVH_MAGIC = 0x336ec578, PVH_VERSION = 1 };

struct pvh_start_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap; /* version 1 */
	uint32_t n_memmap, reserved;
};
struct pvh_module {
	uint64_t gpa, bytes, cmdline, reserved;
};
struct pvh_memory {
	uint64_t gpa, bytes;
	uint32_t type, reserved; /* enum map_type */
};
_Static_assert(sizeof(struct pvh_start_info) == 56 && sizeof(struct pvh_module) == 32 &&
		       sizeof(struct pvh_memory) == 24,
	       "read by the guest");
