/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.h - the file format ELF, by System V's gABI chapters 4 and 5: read, checked, loaded. What a boot
 * protocol makes of it is its class's affair (pvh.c, multiboot.c, vmlinux.c). Worker; assembly only.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>

#include "base/err.h"

struct image;
struct image_guest;

enum { ELF_SEGMENTS = 128 };

/* The header and segments of either class, in 64-bit form. */
struct elf {
	Elf64_Ehdr head;
	Elf64_Phdr segment[ELF_SEGMENTS];
	unsigned n;
	bool is_64;
};

bool elf_is(const struct image *x);
/* Headers of an x86 executable at fixed addresses; ERR_START says what it is instead. */
int elf_read(const struct image *x, struct elf *f, struct err *e);
/* Put its segments into guest memory. */
int elf_load(struct image_guest *g, const struct image *x, const struct elf *f, struct err *e);
/* The physical address below 4 GiB of an entry point that is given as physical, or else as virtual. */
int elf_find_entry(const struct image *x, const struct elf *f, uint64_t entry, uint64_t *ret,
		   struct err *e);
/* The entry point of a Xen PVH note; 0 = it has none. */
int elf_find_pvh(const struct image *x, const struct elf *f, uint64_t *ret, struct err *e);
