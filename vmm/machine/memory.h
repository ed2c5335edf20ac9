/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the guest's RAM and ROM: one memfd mapped once, one KVM memslot per range. Worker; part
 * of struct machine.
 *
 * The memfd holds the ranges back to back in the order of the board (ascending gpa). It is shared
 * with whoever dumps the guest after the worker's death, and starts out as zeroes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct board_memory;

struct memory_range {
	uint64_t gpa, bytes;
	bool is_rom;
	uint8_t *host;
};

struct memory {
	struct memory_range *range; /* ascending; ranges of one kind that touch are one */
	unsigned n;
	uint8_t *base; /* of the mapping; NULL when the bytes are somebody else's */
	uint64_t bytes;
	unsigned n_slots; /* KVM's memslots behind those of the ranges */
};

/* Map ram_fd, which must be sealed against shrinking and hold exactly the sum of all ranges. */
int memory_map(struct memory *m, const struct board_memory *range, unsigned n, int ram_fd,
	       struct err *e);
/* The same over bytes that the caller owns and keeps: for tests. */
void memory_over(struct memory *m, const struct board_memory *range, unsigned n, uint8_t *bytes);
/* One memslot per range; ROM read-only, so that a write exits (section 4.35). */
int memory_install(const struct memory *m, int vm_fd, struct err *e);
/* NULL unless [gpa, gpa + bytes) lies in one range. bytes may be 0 inside a range. */
void *memory_at(const struct memory *m, uint64_t gpa, uint64_t bytes);
/* The range that holds gpa, or NULL. */
const struct memory_range *memory_range_of(const struct memory *m, uint64_t gpa);
/* RAM range i in ascending order; false behind the last. */
bool memory_ram(const struct memory *m, unsigned i, uint64_t *ret_gpa, uint64_t *ret_bytes,
		void **ret_host);
/* One more memslot, for what is no memory of the guest's own; and what lies in it: 0 bytes = nothing. */
unsigned memory_slot(struct memory *m);
int memory_place(int vm_fd, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		 bool is_writable, struct err *e);
void memory_unmap(struct memory *m);
