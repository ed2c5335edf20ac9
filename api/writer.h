/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - who types at the console of a VM: one at a time. qvm-api; pure but for its list.
 *
 * Who types first has the right; others are refused until it leaves, has typed nothing for a while,
 * or one of them takes it by force. A WebSocket is a writer by itself; POSTs of one caller are one
 * writer together. The list dies with this process, and so do all connections: nobody is left with
 * a right that another cannot have.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/message.h"

enum {
	WRITER_NAME = 80,
	WRITER_MOST = 4096,	    /* VMs that are typed at */
	WRITER_IDLE_MS = 60 * 1000, /* then a WebSocket has to give way */
	WRITER_POST_MS = 3 * 1000,  /* and so has who has sent a POST */
};

struct writer {
	uint64_t session;	/* of a WebSocket; 0 = by POST */
	char name[WRITER_NAME]; /* as others are told: "uid 0", "token 'ci'" */
};

struct writers;

struct writers *writers_new(void);
void writers_free(struct writers *all);

void writer_name(const struct msg_caller *c, char ret[static WRITER_NAME]);
/* It types now. ERR_CONFLICT names who has the right; ERR_LIMIT. */
int writer_take(struct writers *all, const char *vm, const struct writer *who, bool by_force,
		uint64_t now_ms, struct err *e);
/* Gives the right back, if it has it. */
void writer_leave(struct writers *all, const char *vm, const struct writer *who);
/* NULL = nobody. Until the next call. */
const struct writer *writer_of(const struct writers *all, const char *vm, uint64_t now_ms);
bool writer_is(const struct writer *a, const struct writer *b);
