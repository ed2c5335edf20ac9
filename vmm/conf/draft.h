/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - the board in the making: its parts, and where in the configuration each comes from.
 * Worker; owned by one conf_read(). Every list is bounded here.
 */
#pragma once

#include <stdbool.h>

#include "base/partition.h"
#include "vmm/conf/board.h"
#include "vmm/conf/finding.h"
#include "vmm/conf/place.h"

enum {
	DRAFT_MEMORY = 4096,
	DRAFT_LOADS = 64,
	DRAFT_CPUS = 4096,
	DRAFT_VDEVS = 256,
	DRAFT_RESERVES = 1024,
};

struct draft_memory {
	struct board_memory range;
	struct mark at;
	bool is_placed; /* its address was chosen, not given */
};

struct draft_load {
	struct board_load load;
	struct mark at; /* of the address, else of the file */
};

struct draft_vdev {
	struct vdev *vdev; /* NULL: of an unknown class, kept for its name */
	char name[VDEV_NAME];
	struct mark at; /* the class's word; line 0 = implicit */
	struct mark loc_at[VDEV_REGIONS];
	unsigned n_locs;
	struct mark intr_at; /* line 0 = not given */
	bool is_named;
	bool is_wrong; /* an error about it was reported: no check of the whole */
};

struct draft_cpu {
	struct mark at;
	struct mark partition_at;	/* line 0 = it names none */
	char partition[PARTITION_NAME]; /* "" = it names none, or one that is none */
};

struct draft_reserve {
	struct place place;
	struct mark at;
};

struct draft {
	struct board *board;
	struct draft_cpu *cpu; /* of each of board->cpu */
	struct draft_memory *memory;
	unsigned n_memory;
	struct draft_load *load;
	unsigned n_loads;
	struct draft_vdev *vdev;
	unsigned n_vdevs;
	struct draft_reserve *reserve;
	unsigned n_reserves;
	struct mark system_at, cmdline_at, dump_at;
	bool path_base_is_cwd;
	/* An error about the part was reported: what would follow from it is not reported too. */
	bool memory_is_wrong, loads_are_wrong, vdevs_are_wrong;
};

void draft_open(struct draft *d);
void draft_close(struct draft *d); /* what has not been taken by draft_finish() too */

/* Add one: NULL when the list is full, with a finding at the mark. The rest is zero. */
struct draft_cpu *draft_add_cpu(struct draft *d, struct findings *f, const struct mark *at);
struct draft_memory *draft_add_memory(struct draft *d, struct findings *f, const struct mark *at);
struct draft_load *draft_add_load(struct draft *d, struct findings *f, const struct mark *at);
struct draft_vdev *draft_add_vdev(struct draft *d, struct findings *f, const struct mark *at);
struct draft_reserve *draft_add_reserve(struct draft *d, struct findings *f, const struct mark *at);

/* "`vdev ser8250`", or with its name "`vdev ser8250 name com1`". */
enum { DRAFT_LABEL = 96 };
const char *draft_vdev_label(const struct draft_vdev *v, char ret[static DRAFT_LABEL]);

/* Move everything into the board, memory sorted; the caller owns it. Only without errors. */
struct board *draft_finish(struct draft *d);
