/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debt.h - answers that are made and not read yet: how much of them one peer may leave lying. qvm-api; part of
 * each request.
 *
 * Who reads slowly keeps his answer in memory, and only who reads nothing for HTTP_IDLE_S is hung up on. So
 * answers of over DEBT_SMALL are counted by uid or address until they are sent. Small ones are bounded by
 * the number of connections, streams are never more than a block.
 */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

#include "api/http/quota.h"
#include "base/err.h"

struct request;

enum {
	DEBT_SMALL = 64 * 1024,
	DEBT_PEER = 64 * 1024 * 1024,
	DEBT_ALL = 256 * 1024 * 1024, /* of all but root and the supervisor's own user */
};

struct debt {
	LIST_ENTRY(debt) link;
	size_t bytes; /* 0 = it is in no list */
	char who[QUOTA_WHO];
};

LIST_HEAD(debts, debt);

/* Before an answer of n bytes is given. ERR_LIMIT: this one has too much to read already; the first is
 * always given, and so is the answer to what has changed something. */
int debt_take(struct request *r, size_t n, struct err *e);
void debt_drop(struct debt *d);
/* The pure part: may a peer that leaves `own` of `all` bytes have n more? */
int debt_has_room(size_t own, size_t all, size_t n);
