/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.h - a short-lived child of the supervisor that does what may wait: find, judge, open and lock
 * files and devices of the host, which may lie on a file system that does not answer or take the time
 * of a device's reset. Supervisor; whoever asks holds the deadline.
 *
 * The child is the supervisor as it is at the fork, without its descriptors and with few privileges. It
 * answers item for item, in order, and then keeps its own copies until it is released or killed: so the
 * last close of what was not handed on, which may wait as well, is its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"

struct opener;

/* Part of struct daemon. */
struct opener_set {
	sd_event *loop;
	struct opener *first;
	unsigned n_abandoned; /* killed, and still there */
};

struct opener_spec {
	uint32_t n; /* items */
	/* In the child: item i is judged, or opened into *ret_fd; opened[] has those before it, -1 = none.
	 * It may wait; it logs nothing. */
	int (*work)(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e);
	const void *job;
	bool goes_on; /* after an item that is refused; else that is its last */
	/* In the supervisor. `why` is NULL for what is sound; take_fd = -1 when it was only judged, `bytes`
	 * those of a regular file. The end of the child before its last answer is a refusal of the
	 * item at hand. */
	void (*answered)(void *arg, uint32_t i, int take_fd, uint64_t bytes, const struct err *why);
	void (*gone)(void *arg); /* once; the opener is no more then. Not called when abandoned */
	void *arg;
};

int opener_spawn(struct opener_set *s, const struct opener_spec *spec, struct opener **ret,
		 struct err *e);
/* The item that has no answer yet; n when all have. */
uint32_t opener_pending(const struct opener *o);
/* Its copies are needed no longer: end. Then gone comes. */
void opener_release(struct opener *o);
void opener_kill(struct opener *o);
/* Killed, and nobody waits for that: what it held may be held for as long as the kernel likes. */
void opener_abandon(struct opener *o);
void opener_clear(struct opener_set *s);
