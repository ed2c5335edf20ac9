/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.h - the connection of the supervisor of the day: what it puts on the shelf, drops, and asks to
 * be shown. Keeper; owned by main.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct shelf;

struct visit {
	int link;     /* -1 = no supervisor is there */
	bool is_full; /* the last KEEP found no room: to be told */
	bool shows;   /* RECALL came and is not answered yet */
	size_t shown;
};

/* Poll events to wait for. */
short visit_wants(const struct visit *v);
/* Answer what was asked, then take what is there; -1 when the supervisor has gone. */
int visit_serve(struct visit *v, struct shelf *s, struct err *e);
