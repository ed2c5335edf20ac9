/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - an answer that goes on (a stream, a wait, a WebSocket, a download) has its right as long as
 * the token or certificate that it was asked for with. qvm-api; part of what holds the answer.
 *
 * While any is open that came by one, the store is asked every LEASE_LOOK_MS: a token that was deleted
 * or has ended lets nothing go on for longer, nor does a certificate past its own end. Who came by uid
 * has no lease: his groups are those of his process, which cannot change under it.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/name.h"

struct api;
struct request;
struct leases;

enum { LEASE_LOOK_MS = 1000 };

struct lease {
	LIST_ENTRY(lease) link;
	struct leases *all; /* NULL = of no token, or over */
	char token[NAME_CAP];
	int64_t created_ms;
	int64_t certificate_ends_ms; /* wall; 0 = never, or no certificate */
	/* Once, with its lease gone already; it may free what the lease is part of, and no other's. */
	void (*on_end)(void *arg, const struct err *why);
	void *arg;
};

struct leases *leases_new(struct api *api);
void leases_free(struct leases *all);

/* `l` is 0 or was dropped. */
void lease_take(struct lease *l, const struct request *r,
		void (*on_end)(void *arg, const struct err *why), void *arg);
/* Once, or more often. */
void lease_drop(struct lease *l);
