/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late.h - files that a standby which is held ready has open, and claims before it starts: looked at
 * once more, locked for it alone. Supervisor; part of a worker until START is sent, or it has gone.
 *
 * Each is a copy of the very description that the worker got, so a lock on it is the worker's. As long as
 * there is none the other VM of the pair may have the same file. The keeper has copies, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/keep.h"

struct keep;
struct msg_opened;
struct msg_want;
struct recall;

enum { LATE_MOST = 60 };

struct late_item {
	int fd;
	struct note_late note; /* as it was when it was opened */
};

struct late {
	struct late_item *item;
	uint32_t n;
};

/* Remember what was opened for that want. The caller keeps fd. ERR_RESOURCE, or ERR_LIMIT when there are
 * too many. */
int late_add(struct late *l, const struct msg_want *w, int fd, const struct msg_opened *what,
	     struct err *e);
void late_keep(const struct late *l, struct keep *k, const char *vm, uint64_t generation);
void late_recall(struct late *l, struct recall *r, const char *vm, uint64_t generation);
/* The keeper forgets them, before late_free(). */
void late_drop(const struct late *l, struct keep *k, const char *vm, uint64_t generation);
void late_free(struct late *l);
/* In an opener, which has all as descriptors from first_fd on: claim item i. On failure none is claimed any
 * more. ERR_STALE: it is not what was prepared with; ERR_RESOURCE: somebody else has it. */
int late_claim(const struct late *l, uint32_t i, int first_fd, struct err *e);
