/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - who lies where in guest memory before the first instruction: images, ramdisk, boot
 * parameters. Worker; lives as long as the images are loaded.
 *
 * Every byte that is written into guest memory was taken here first: bounded by the board's memory,
 * and nobody else's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct memory;

struct layout_part {
	uint64_t gpa, bytes;
	char what[64]; /* the file, "boot parameters" */
};

struct layout {
	const struct memory *memory;
	struct layout_part *part; /* ascending, never touching zero bytes */
	unsigned n, room;
	uint64_t boot_gpa; /* the lowest of layout_take_boot() so far; 0 = none */
};

enum { LAYOUT_PARTS = 1024 }; /* images choose how many: refused beyond */

/* Take [gpa, gpa + bytes), which must be free and lie in one range of RAM or ROM. *ret_host is its
 * memory (may be NULL). bytes > 0. ERR_START names the file, the place and who has it. */
int layout_take(struct layout *l, uint64_t gpa, uint64_t bytes, const char *what, void **ret_host,
		struct err *e);
bool layout_is_free(const struct layout *l, uint64_t gpa, uint64_t bytes);
/* Take the lowest free RAM. Page 0 is left to the interrupt vectors of real mode. */
int layout_take_low(struct layout *l, uint64_t bytes, const char *what, uint64_t *ret_gpa,
		    void **ret_host, struct err *e);
/* Take the highest free RAM that ends at or below `below`, page-aligned. */
int layout_take_high(struct layout *l, uint64_t bytes, uint64_t below, const char *what,
		     uint64_t *ret_gpa, void **ret_host, struct err *e);
/* The place for boot parameters: like a BIOS's, at the end of the conventional memory (640 KiB), else
 * the highest RAM below 4 GiB; guests use the lowest pages for themselves. */
int layout_take_boot(struct layout *l, uint64_t bytes, const char *what, uint64_t *ret_gpa,
		     void **ret_host, struct err *e);
void layout_free(struct layout *l);
