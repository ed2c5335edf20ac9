/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.h - the link to qvm-keeper, which holds what must outlive this process. Supervisor; part of
 * struct daemon.
 *
 * Nouns put their descriptors there (keep_put) and take them back at the next start (recall.h). A
 * keeper that is lost is started again and given everything anew; without one VMs run all the same,
 * but the next supervisor cannot adopt them: the host's facts say so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/worker/process.h"
#include "schemas/keep.h"

struct daemon;
struct keep_letter;
struct scope_job;
struct recall;

enum { KEEP_UID = 14 /* beyond worker-uid-base, behind the API and the checks */ };
#define KEEP_CGROUP "keeper"

struct keep {
	struct daemon *d; /* NULL = nothing is kept */
	int link;	  /* -1 = there is no keeper now */
	struct process process;
	sd_event_source *source, *process_source, *again;
	struct keep_letter *first, *last; /* what the link had no room for */
	uint64_t delay_ms;
	struct scope_job *scope; /* under systemd it moves out of our unit, whose end it outlives */
	bool is_full, is_leaving;
	struct err why; /* there is none; code ERR_OK = there is one */
};

/* Find the keeper of an earlier supervisor and take everything back, or start one. Waits, for a
 * bounded time. Having none is no error: k->why tells. */
void keep_open(struct daemon *d, struct recall *ret);
/* Copies of the descriptor; it stays the caller's. note may be NULL. */
void keep_put(struct keep *k, const struct msg_keep *key, const void *note, size_t bytes, int fd);
void keep_drop(struct keep *k, const struct msg_drop *what);
/* At an ordered end: leave it. When it holds nothing it ends. */
void keep_leave(struct daemon *d);
bool keep_is_gone(const struct daemon *d);
void keep_close(struct daemon *d);
