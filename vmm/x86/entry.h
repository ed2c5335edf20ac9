/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - the state in which a vCPU meets its first instruction. Worker; assembly only.
 *
 * Only the boot vCPU has an entry; the others wait for INIT and SIPI as on hardware.
 *   reset      as the processor leaves its reset: F000:FFF0, of which the segment's base is 0xffff0000 or,
 *              for a ROM below 1 MiB, 0xf0000 (Intel SDM volume 3, 9.1.4)
 *   real       CS:IP = gpa >> 4 : gpa & 15, DS = ES = SS = CS, SP = 0 (a raw image)
 *   protected  flat 32-bit code and data, paging off, CS = 0x10, DS = ES = SS = 0x18 (Linux's 32-bit
 *              boot protocol; Xen's PVH; multiboot; an ELF32 without a PVH note)
 *   long       64-bit, the first 4 GiB mapped to themselves, CS = 0x10, DS = ES = SS = 0x18 (Linux's
 *              64-bit boot protocol; an ELF64 without PVH note)
 * Interrupts are off in all of them. Protected and long have their GDT in guest memory.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum entry_mode { ENTRY_RESET, ENTRY_REAL, ENTRY_PROTECTED, ENTRY_LONG };

enum { ENTRY_TABLE_BYTES = 0x7000 }; /* GDT page, then six pages of page tables */

struct entry {
	enum entry_mode mode;
	uint64_t gpa;	   /* of the first instruction */
	uint64_t rax;	   /* multiboot's magic */
	uint64_t rbx, rsi; /* PVH start info or multiboot information; Linux boot_params */
	uint64_t tables;   /* gpa of ENTRY_TABLE_BYTES for the processor; not for real mode */
};

/* Bytes of tables that a mode needs in guest memory. */
uint64_t entry_table_bytes(enum entry_mode mode);
/* Write GDT and page tables to `host`, which is the guest memory at entry->tables. */
void entry_write_tables(const struct entry *x, uint8_t *host);
/* The boot vCPU. */
int entry_set(const struct entry *x, int vcpu_fd, struct err *e);
/* Any vCPU: the MSRs that firmware would have set; and for all but the boot vCPU, to wait. */
int entry_reset(int vcpu_fd, unsigned index, struct err *e);
