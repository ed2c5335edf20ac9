/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follower.h - a request whose answer goes on: it is read from a source at the client's pace, sleeps while
 * there is nothing new, and is woken with all others of its source. qvm-api; first member of what the
 * source keeps of it.
 *
 * Its connection may end before the answer is let go, and the other way round.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "api/http/lease.h"

struct request;
struct api;

struct follower {
	LIST_ENTRY(follower) link;
	struct request *request; /* NULL once its connection has ended */
	struct api *api;
	struct lease lease;
	bool is_over; /* its right has ended: `why` is the last word */
	char why[96];
};

LIST_HEAD(followers, follower);

/* It counts as a held connection from now on. */
void follower_join(struct follower *f, struct followers *all, struct request *r);
/* Before it is freed. Once, or more often. */
void follower_leave(struct follower *f);
void followers_wake(struct followers *all);
