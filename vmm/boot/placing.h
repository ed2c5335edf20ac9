/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placing.h - where a multiboot kernel lies: as its ELF headers say, or at the addresses that its
 * multiboot header gives (Multiboot 0.6.96, 3.1.3; Multiboot 2, 3.1.5). Worker; assembly only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct image;
struct image_guest;

struct placing {
	uint64_t header_offset; /* of the multiboot header in the file */
	bool has_addresses;
	uint32_t header, load, load_end,
		bss_end; /* as in the header; load_end 0 = the whole file */
	bool has_entry;
	uint32_t entry;
};

/* Load it and say where it begins. */
int placing_load(struct image_guest *g, const struct image *x, const struct placing *p,
		 uint64_t *ret_entry, struct err *e);
/* Modules below 4 GiB and, if asked for, at page borders. */
int placing_check_modules(const struct image_guest *g, bool is_aligned, struct err *e);
