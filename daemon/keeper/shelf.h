/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.h - the descriptors that are kept, each under its key. Keeper; owned by main.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schemas/keep.h"

struct shelf_item {
	struct msg_keep m;
	int fd;
	uint64_t due_ms; /* monotonic: shut this link then; 0 = never */
};

struct shelf {
	struct shelf_item *item; /* in the order of their coming */
	size_t n, room;
};

/* In place of an item of the same key. */
void shelf_put(struct shelf *s, const struct msg_keep *m, int take_fd);
void shelf_drop(struct shelf *s, const struct msg_drop *m);
/* The supervisor has gone: links with a limit become due. */
void shelf_orphan(struct shelf *s, uint64_t now_ms);
/* It is back. */
void shelf_adopt(struct shelf *s);
/* Shut the links that are due: their workers see it. The time of the next one, 0 = none. */
uint64_t shelf_shut_due(struct shelf *s, uint64_t now_ms);
void shelf_clear(struct shelf *s);
