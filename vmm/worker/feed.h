/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - the host's ends of the vdevs' input lines: files, FIFOs, terminals that the worker's loop
 * reads and hands to their vdevs. Worker; part of struct life; the loop's thread.
 *
 * Back-pressure: an end is read only while its vdev has room; a vdev that drains tells by room_fd.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct board;
struct vdev;

struct feed_end {
	struct vdev *vdev;
	int fd;		 /* the board's */
	bool is_console; /* standard input */
	bool is_at_end;
};

struct feed {
	struct feed_end *end;
	unsigned n;
	int room_fd; /* eventfd; -1 without ends */
	bool escape; /* state of terminal_escape() */
};

/* The ends whose fds are granted. Before the machine is assembled. */
int feed_open(struct feed *f, struct board *b, struct err *e);
/* Fill ret[0 .. feed_polls()) for ppoll(): fd -1 where there is nothing to wait for. */
unsigned feed_polls(const struct feed *f);
void feed_poll(struct feed *f, struct pollfd *ret);
/* Read what is ready, at most one buffer an end. *ret_leave: the user typed the end of the VM. */
void feed_take(struct feed *f, const struct pollfd *polled, bool *ret_leave);
void feed_close(struct feed *f);
