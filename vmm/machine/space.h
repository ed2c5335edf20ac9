/* SPDX-License-Identifier: Apache-2.0 */
/*
 * space.h - who answers an address: one sorted map per address space, memory and I/O ports. Worker;
 * part of struct machine.
 *
 * Built while the machine is assembled, never changed afterwards: readers take no lock. Four classes
 * of access come out of it (QNX Hypervisor: "access classes"): permitted (memory), pass-through,
 * virtual device, and fault, where the `unsupported` policy decides.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct vdev;

enum space_kind {
	SPACE_RAM,
	SPACE_ROM,
	SPACE_PASS,   /* the host's own device, mapped */
	SPACE_VDEV,   /* dispatched to a vdev */
	SPACE_KERNEL, /* a device or page of KVM itself: an access there never reaches us */
	SPACE_KINDS
};

/* What became of an exit: `answered` of struct blackbox_exit. */
enum space_answer {
	SPACE_NOBODY,	 /* no owner: the fault class */
	SPACE_DENIED,	 /* an owner that does not permit this access: the fault class */
	SPACE_BY_VDEV,	 /* a vdev answered */
	SPACE_BY_PASS,	 /* a passed-through device answered */
	SPACE_NO_ACCESS, /* the exit was not an access to an address */
};

struct space_region {
	uint64_t base, last; /* inclusive, so that a region may end with the space */
	enum space_kind kind;
	char name[32];	   /* of the owner */
	struct vdev *vdev; /* SPACE_VDEV; NULL else */
	unsigned index;	   /* which of the vdev's regions */
	bool is_under;	   /* others may lie inside it, and then answer there */
};

enum { SPACE_UNDER = 2 };

struct space {
	const char *noun; /* "memory" or "port", for messages */
	uint64_t last;	  /* last address of the space */
	bool is_bus;	  /* takes an access apart for a narrower device (access.h) */
	struct space_region *region;
	unsigned n, room;
	struct space_region under[SPACE_UNDER];
	unsigned n_under;
};

/* Add [base, base + bytes). ERR_CONFIG names both owners when the place is taken; ERR_CONFIG too when
 * it leaves the space. Aborts without memory (small and bounded by the board). */
int space_add(struct space *s, const struct space_region *r, struct err *e);
/* Add those parts of the region that nobody owns yet: for what KVM answers unasked. */
int space_fill(struct space *s, const struct space_region *r, struct err *e);
/* The region that holds addr, or NULL. */
const struct space_region *space_find(const struct space *s, uint64_t addr);
/* The region under the others that holds all of [addr, addr + bytes), or NULL. */
const struct space_region *space_find_under(const struct space *s, uint64_t addr, uint64_t bytes);
/* True if no region touches [base, base + bytes). */
bool space_is_free(const struct space *s, uint64_t base, uint64_t bytes);
void space_free(struct space *s);
const char *space_kind_id(enum space_kind k); /* "ram" */
