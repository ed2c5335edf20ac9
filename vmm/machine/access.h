/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - one access of the guest to an address that is not plain memory. Worker, vCPU threads.
 *
 * First it is judged, without effects; then performed, unless the `unsupported` policy forbids that.
 * An access belongs to a vdev if it lies wholly in one region, has a width that the class allows and
 * a direction that it has. In the port space a wider one is taken apart as the ISA bus does for an
 * 8-bit device, but for a region that is_whole; in the memory space there is no such rule.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/machine/space.h"

struct blackbox_map;

struct access {
	uint64_t address, value; /* value: little-endian in the low `width` bytes */
	unsigned width;		 /* bytes, 1 to 8 */
	bool is_write;
	bool is_part; /* of a wider one that was taken apart */
};

/* Who answers: SPACE_BY_VDEV, or a fault: SPACE_NOBODY, SPACE_DENIED. */
enum space_answer access_judge(const struct space *s, const struct access *a);
/* Do what can be done: each part that nobody answers reads as all ones, or is dropped. Takes the
 * locks of the vdevs and counts in their rows of the box. */
void access_perform(const struct space *s, struct blackbox_map *box, struct access *a);
/* "write of 4 bytes to memory 0xc0000 ('rom' does not permit it)" */
void access_describe(const struct space *s, const struct access *a, char *ret, size_t cap);
