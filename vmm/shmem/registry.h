/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - which regions there are and who has them. Server; its only state. It knows no socket:
 * server.c has those.
 *
 * A region is there for as long as somebody holds it, as a client or by CREATE; what a holder has ends
 * with its link, however its process ends. Memory is taken when a region is made and given back by the
 * last holder, even if a worker that is not honest keeps its mapping.
 */
#pragma once

#include <stdint.h>

#include "base/shmem.h"

enum {
	REGISTRY_HOLDS = 32,	  /* regions of a link */
	REGISTRY_PAGES = 64 << 8, /* of a link, in all its regions: 64 MiB */
	REGISTRY_REGIONS = 1024,
};

struct region;

struct registry {
	struct region *first;
	unsigned n_regions;
	uint64_t budget_bytes, used_bytes;
};

/* What one worker's vdev has. */
struct registry_link {
	char rules[SHMEM_RULES];
	struct {
		struct region *region; /* NULL = free */
		int number;	       /* of the client; -1 = by CREATE */
	} hold[REGISTRY_HOLDS];
	uint64_t pages;
};

/* Answer a request, whatever it says. *ret_fd: the file to go along, borrowed, or -1. */
void registry_serve(struct registry *r, struct registry_link *l, const struct shmem_request *q,
		    struct shmem_answer *ret, int *ret_fd);
/* The link is gone. */
void registry_drop(struct registry *r, struct registry_link *l);
