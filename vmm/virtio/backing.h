/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backing.h - what a guest's disk is on the host: a raw file or a block device. Worker; part of the
 * state of a disk. Any of its threads may call it without a lock; a call waits for the host's disk.
 *
 * Ranges are in bytes and inside the disk: the caller has checked them. What the host refuses is -1,
 * counted, and logged by a bucket: the log must not grow with a full disk.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/bucket.h"
#include "base/err.h"
#include "base/sandbox.h"

struct loggers;

struct backing {
	int fd; /* borrowed */
	const char *path;
	const struct loggers *loggers; /* its vdev's; the caller's to set before */
	uint64_t bytes;
	uint32_t align;		  /* of offsets and lengths, and of memory, while it is direct */
	atomic_bool is_direct;	  /* O_DIRECT; once off it stays off */
	struct bucket bucket;	  /* of the errors that are logged */
	_Atomic uint64_t *errors; /* counter */
};

/* Take the fd of a hostdev; `align` and `errors` are the caller's to use afterwards. Direct where it was
 * asked for and works: else it says so in the log and goes through the host's cache. */
int backing_open(struct backing *b, int fd, const char *path, bool is_direct,
		 _Atomic uint64_t *errors, struct err *e);
/* Move all of the parts, which are changed. */
int backing_transfer(struct backing *b, struct iovec *part, unsigned n_parts, uint64_t at,
		     bool is_write);
/* What was written is on the medium. */
int backing_flush(struct backing *b);
/* The guest has no use for the contents; the host may keep them. */
int backing_discard(struct backing *b, uint64_t at, uint64_t bytes);
/* They read as zeroes; `may_unmap`: without keeping the space. */
int backing_zero(struct backing *b, uint64_t at, uint64_t bytes, bool may_unmap);

/* Needed after START. */
#define BACKING_CALLS                                                                              \
	SANDBOX_CALL(preadv), SANDBOX_CALL(pwritev), SANDBOX_CALL(fdatasync),                      \
		SANDBOX_CALL(fallocate), SANDBOX_ARG(fcntl, 1, F_GETFL),                           \
		SANDBOX_ARG(fcntl, 1, F_SETFL)
