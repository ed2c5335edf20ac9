/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recall.h - what an earlier supervisor has left with the keeper, until its nouns have taken it back.
 * Supervisor, at its start; owned by recover.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/keep.h"

struct kept {
	struct msg_keep m;
	int fd;		/* -1 = taken */
	bool is_spared; /* of no use to us, and not to be dropped */
};

struct recall {
	struct kept *kept;
	size_t n, room;
};

/* One that came over the link; the descriptor is taken. */
void recall_add(struct recall *r, const struct msg_keep *m, int take_fd);
/* The next one of that kind, from *at on, whoever owns it; NULL = no more. */
struct kept *recall_next(struct recall *r, enum keep_kind kind, size_t *at);
struct kept *recall_find(struct recall *r, const char *owner, uint64_t generation,
			 enum keep_kind kind, uint64_t tag);
/* Its descriptor, which the caller then owns; -1 = there is none. */
int recall_take(struct recall *r, const char *owner, uint64_t generation, enum keep_kind kind,
		uint64_t tag);
/* Close what nobody took. */
void recall_clear(struct recall *r);
