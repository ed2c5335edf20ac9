/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.h - what qvmd and qvm-keeper say to each other (keeping.def) and what is kept (keeps.def).
 * Supervisor, keeper. The two may be of different versions: nothing here changes its layout.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/name.h"
#include "base/wire.h"
#include "schemas/message.h"

enum { KEEP_NOTE = 1280 };

enum keeping_type {
	KEEPING_NONE,
#define KEEPING(name, dir, body, fds, what) KEEPING_##name,
#include "schemas/keeping.def"
#undef KEEPING
	KEEPING_COUNT
};

extern const struct wire_table keeping_table;

enum keep_kind {
	KEEP_ANY,
#define KEEP(id, name, what) KEEP_##id,
#include "schemas/keeps.def"
#undef KEEP
	KEEP_COUNT
};

/* Tags of what belongs to a worker. */
enum { KEEP_TAG_WORKER, KEEP_TAG_DUMP, KEEP_TAG_LATE };

/* owner, generation, kind and tag are the key. */
struct msg_keep {
	char owner[NAME_CAP]; /* the VM; "" = none */
	uint32_t kind;	      /* enum keep_kind */
	uint32_t orphan_ms;   /* of a link: shut it after so long without a supervisor; 0 = never */
	uint64_t generation;  /* of the VM's worker */
	uint64_t tag;	      /* tells several of a kind apart */
	uint8_t note[KEEP_NOTE]; /* for the next supervisor; the keeper does not read it */
};

struct msg_drop {
	char owner[NAME_CAP];
	uint32_t kind; /* KEEP_ANY = of every kind */
	uint32_t unused;
	uint64_t generation, tag;
};

struct msg_kept_count {
	uint64_t n;
};

_Static_assert(sizeof(struct msg_keep) == 88 + KEEP_NOTE && sizeof(struct msg_drop) == 88,
	       "between processes of different versions");

/* The note of a KEEP_LINK: what the next supervisor must know of the worker. */
struct note_worker {
	uint64_t dialogue; /* message_fingerprint() of who spawned it: do we speak its language? */
	char build[32];	   /* of the supervisor that spawned it */
	char cgroup[NAME_CAP + PARTITION_NAME + 16];
	int32_t pid;
	uint32_t sandbox;
	uint64_t pid_start;
	uint64_t ram_bytes; /* of its RAM memfd */
	struct msg_plan plan;
};

/* The note of a KEEP_PEER: whose network is at which end, and whose worker has a copy of it. */
struct note_peer {
	char system[2][NAME_CAP], node[2][32];
	uint32_t is_used[2];
};

/* The note of a KEEP_LATE: what it was when the standby was prepared. Tag: KEEP_TAG_LATE + n. */
struct note_late {
	uint64_t bytes;
	int64_t mtime_ns;
	uint32_t kind, line; /* as in msg_want */
	char option[32], path[MESSAGE_PATH];
};

_Static_assert(sizeof(struct note_late) <= KEEP_NOTE, "a note holds it");
_Static_assert(sizeof(struct note_worker) <= KEEP_NOTE && sizeof(struct note_peer) <= KEEP_NOTE,
	       "a note holds them");

/* A descriptor from the other side: names and kind; ERR_PROTOCOL. */
int keep_check(const struct msg_keep *k, struct err *e);
const char *keep_kind_id(uint32_t kind); /* "link"; "?" when unknown */
