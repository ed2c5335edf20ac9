/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.h - a short-lived child of the supervisor that does what may wait: find, judge, open and lock
 * files and devices of the host, which may lie on a file system that does not answer or take the time
 * of a device's reset. Supervisor; whoever asks holds the deadline.
 *
 * The child is the supervisor as it is at the fork, without its descriptors and with few privileges. It
 * answers item for item, in order, and then keeps its own copies until it is released or killed: so the
 * last close of what was not handed on, which may wait as well, is its own.
 *
 * One that changes a file system (`finishes`) is never killed: a call that waits in the kernel would be
 * done all the same, and nobody would know of it. Abandoned, or without a supervisor, it undoes what
 * nobody took.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"

struct msg_opened;
struct opener;
struct process;
struct stat;

/* Part of struct daemon. */
struct opener_set {
	sd_event *loop;
	struct opener *first;
	unsigned n_abandoned; /* nobody waits for them, and they are still there */
};

enum { OPENER_KEPT_FD = 4 };

struct opener_spec {
	uint32_t n; /* items */
	/* In the child: item i is judged, or opened into *ret_fd; opened[] has those before it, -1 = none.
	 * It may wait; it logs nothing. */
	int (*work)(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e);
	const void *job;
	const int *keep; /* the child has these as OPENER_KEPT_FD, ... */
	unsigned n_keep;
	bool has_raw_io; /* the child keeps CAP_SYS_RAWIO, for /dev/mem */
	bool finishes;
	/* In a child that finishes, or NULL: nobody takes item i, which was opened. */
	void (*undo)(const void *job, uint32_t i, const int *opened);
	bool goes_on; /* after an item that is refused; else that is its last */
	/* In the supervisor. `why` is NULL for what is sound; take_fd = -1 when it was only judged;
	 * `what` tells of a file and what it lies on. The end of the child before its last answer is a
	 * refusal of the item at hand. */
	void (*answered)(void *arg, uint32_t i, int take_fd, const struct msg_opened *what,
			 const struct err *why);
	/* Once; the opener is no more then. Not called when abandoned; NULL where it always is. */
	void (*gone)(void *arg);
	void *arg;
};

int opener_spawn(struct opener_set *s, const struct opener_spec *spec, struct opener **ret,
		 struct err *e);
/* The item that has no answer yet; n when all have. */
uint32_t opener_pending(const struct opener *o);
/* Its copies are needed no longer: end. Then gone comes. */
void opener_release(struct opener *o);
void opener_kill(struct opener *o);
/* Killed (or, if it finishes, let go of, what it has done being told first), and nobody waits for that:
 * what it held may be held for as long as the kernel likes. */
void opener_abandon(struct opener *o);
/* The same for another child that was killed and does not go; `bytes` of memory that it may hold. */
void opener_stray(struct opener_set *s, struct process *take, uint64_t bytes);
/* Memory that strays hold. */
uint64_t opener_stray_bytes(const struct opener_set *s);
void opener_clear(struct opener_set *s);
/* In an opener: what struct msg_opened tells of a file. A block device may have to be asked. */
uint64_t opener_bytes(int fd, const struct stat *st);
int64_t opener_mtime_ns(const struct stat *st);
