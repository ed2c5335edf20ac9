/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostdev.h - the host's ends of the one character line of a vdev: files, terminals, pipes, commands,
 * pseudo terminals, sockets with their viewers. Worker; a vdev of a class with a line makes one in
 * init() (vdev->hostdev), which vdev_free() frees.
 *
 * Output goes into a ring from which each end takes at its own pace; nothing here ever waits, neither a
 * vCPU nor the loop. An end that somebody may want whole (file, pipe, terminal, command) holds the
 * vdev's output when the ring is full: hostdev_room() says so, and the class's drained() that there is
 * room again. One that comes and goes (pty, viewer) holds nobody: what a pty that is not open misses
 * is gone, and a viewer that is a whole ring behind is cut off.
 *
 * Input is read only while the vdev has room, so that nothing is lost. All under the vdev's lock; the
 * loop's calls take it themselves.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/vdev/vdev.h"

enum { HOSTDEV_RING = 1 << 16, HOSTDEV_VIEWERS = 8, HOSTDEV_ENDS = VDEV_WANTS + HOSTDEV_VIEWERS };

struct hostdev_end {
	const struct vdev_want *want;
	int fd;
	bool is_viewer; /* of a socket: fd is its own */
	bool has_output, has_input;
	bool is_listener;
	bool holds;	 /* the output, while it is behind */
	bool is_tty;	 /* written in small pieces, so that a write cannot wait */
	bool may_wait;	 /* its fd is not non-blocking: ask before each write */
	bool is_away;	 /* a pty that nobody has open */
	bool is_over;	 /* no more input */
	bool has_failed; /* said so already */
	uint64_t at;	 /* what it has had of the output */
};

struct hostdev {
	struct vdev *vdev;
	struct hostdev_end end[HOSTDEV_ENDS];
	unsigned n_ends;
	uint16_t columns, rows; /* of a terminal; 0 = there is none */
	uint64_t written;	/* bytes ever */
	uint64_t batch_ns;
	uint32_t delayed_s; /* to try an end again that is not there; UINT32_MAX = for ever */
	bool is_waited_for; /* the vdev was told of no room */
	bool is_batching;
	uint8_t ring[HOSTDEV_RING];
};

struct hostdev *hostdev_new(struct vdev *d);

/* --- the vdev's side --- */

/* The wants are granted: in assemble(). */
void hostdev_open(struct hostdev *h);
/* Somebody may type: an end has an input side, or the supervised console comes here. */
bool hostdev_has_input(const struct hostdev *h);
/* Columns and rows of the first terminal among its ends, as they were at hostdev_open(); false and
 * untouched without one. */
bool hostdev_size(const struct hostdev *h, uint16_t *ret_columns, uint16_t *ret_rows);
/* Bytes that no end would lose. Below HOSTDEV_LOW drained() will follow. */
size_t hostdev_room(struct hostdev *h);
enum { HOSTDEV_LOW = 256 };
/* To every end with an output side; batched if so set: the class has hostdev_alarm() as alarm(). */
void hostdev_send(struct hostdev *h, const uint8_t *bytes, size_t n);
void hostdev_alarm(struct vdev *d, uint64_t now_ns);

/* --- the loop's side, with HOSTDEV_ENDS places of ppoll() --- */

void hostdev_poll(struct hostdev *h, struct pollfd ret[static HOSTDEV_ENDS]);
/* What is ready. `filter` sees what was read before the vdev does, and may shorten it. */
void hostdev_serve(struct hostdev *h, const struct pollfd polled[static HOSTDEV_ENDS],
		   size_t (*filter)(void *arg, int fd, uint8_t *bytes, size_t n), void *arg);
/* The machine has ended: let those who hold the output have what they take of it now. True if one has
 * not had all: ret is filled to wait for that. */
bool hostdev_drain(struct hostdev *h, struct pollfd ret[static HOSTDEV_ENDS]);
void hostdev_give_up(struct hostdev *h); /* says who is owed what */
/* Ends the viewers. */
struct hostdev *hostdev_free(struct hostdev *h);

/* Needed after START by a class with a line. */
extern const struct sandbox_allow hostdev_syscalls[];
