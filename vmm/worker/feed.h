/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - the worker's loop serves the lines of its vdevs: the ends of each (vmm/vdev/hostdev.h) take
 * their places in one ppoll(). Worker; part of struct life; the loop's thread.
 *
 * A vdev that drains, or whose output waits for an end, wakes the loop by room_fd.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct board;
struct hostdev;

struct feed {
	struct hostdev **line;
	unsigned n;
	int room_fd;	/* eventfd; -1 before feed_open() */
	int console_fd; /* of the end that is standard input; -1 = none */
	bool escape;	/* state of terminal_escape() */
};

/* The vdevs whose fds are granted. Before the machine is assembled. */
int feed_open(struct feed *f, struct board *b, struct err *e);
/* Fill ret[0 .. feed_polls()) for ppoll(): fd -1 where there is nothing to wait for. */
unsigned feed_polls(const struct feed *f);
void feed_poll(struct feed *f, struct pollfd *ret);
/* Serve what is ready, at most one buffer an end. *ret_leave: the user typed the end of the VM. */
void feed_take(struct feed *f, const struct pollfd *polled, bool *ret_leave);
/* The machine has ended: pass on what it printed last. True if somebody has not taken all of it: ret is
 * filled to wait for that. */
bool feed_drain(struct feed *f, struct pollfd *ret);
void feed_give_up(struct feed *f); /* says who is owed what */
void feed_close(struct feed *f);
