/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - a location on the board as `loc` writes it: [mem:|io:|pci:]WHERE[,LEN]. Worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/vdev/vdev.h"

/* What a guest can address; processors of today stop there. Ports are 16 bits. */
#define PLACE_MEM_END (UINT64_C(1) << 46)
#define PLACE_IO_END  UINT64_C(0x10000)

struct place {
	enum vdev_space space;
	bool is_pci; /* `slot` counts; base, bytes unset */
	int slot;    /* vmm/pci/slot.h */
	bool has_length;
	bool is_ambiguous; /* number_is_ambiguous(base) */
	uint64_t base, bytes;
};

/* `space` is that of a place without a prefix. */
int place_parse(const char *text, enum vdev_space space, struct place *ret, struct err *e);
/* The end of a space, for bounds. */
uint64_t place_end(enum vdev_space space);
/* True if [a, a + a_bytes) and [b, b + b_bytes) share a byte; no overflow for places in bounds. */
bool place_overlaps(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes);
/* "0xc0000-0xfffff" */
enum { PLACE_RANGE = 48 };
const char *place_range(uint64_t base, uint64_t bytes, char ret[static PLACE_RANGE]);
