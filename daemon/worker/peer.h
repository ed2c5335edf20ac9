/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - the links between the networks of two VMs. Supervisor; part of struct daemon.
 *
 * A link is a pair of connected sockets, one a node. The supervisor keeps both for as long as one of
 * the two VMs runs, its successors included, so that either may start first, die or come back while the other keeps its fd; it
 * reads nothing from them, and what their queues hold is bounded by the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/peer.h"

struct keep;
struct recall;

struct peer_link {
	uint64_t id; /* its two ends are kept as 2 * id and 2 * id + 1 */
	struct peer_name name[2];
	int fd[2];
	bool is_used[2]; /* a worker of that VM has it */
};

struct peer_set {
	struct peer_link *link;
	size_t n, room;
	uint64_t last_id;
	struct keep *keep; /* NULL = they end with this process */
};

/* A copy of own's end of its link with other, for its worker. The caller owns *ret_fd. */
int peer_join(struct peer_set *s, const struct peer_name *own, const struct peer_name *other,
	      int *ret_fd, struct err *e);
/* The VM's worker has gone: the others hear of it. */
void peer_leave(struct peer_set *s, const char *vm);
/* Give all to the keeper; take back what an earlier supervisor gave it. */
void peer_keep(const struct peer_set *s);
void peer_recall(struct peer_set *s, struct recall *r);
void peer_clear(struct peer_set *s);
