/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/backing.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"

enum { SECTOR = 512, MOST_ALIGN = 4096 };

/* --- O_DIRECT --- */

static bool set_direct(struct backing *b, bool is_on)
{
	int flags = fcntl(b->fd, F_GETFL);

	return flags >= 0 &&
	       fcntl(b->fd, F_SETFL, is_on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/* QNX: "dio" falls back for good. Several threads may find out at once. */
static void fall_back(struct backing *b, const char *why)
{
	if (!atomic_exchange(&b->is_direct, false))
		return;
	set_direct(b, false);
	log_warn(&(struct log_about){.loggers = b->loggers},
		 "disk '%s': direct access is off from now on, as %s; the host's cache is used",
		 b->path, why);
}

/* What the file asks for; where the kernel or the file system does not tell, sectors are tried. */
static void open_direct(struct backing *b)
{
	struct statx x = {0};

	b->is_direct = true;
	if (!set_direct(b, true)) {
		fall_back(b, "its file system has none");
		return;
	}
	if (statx(b->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) < 0 ||
	    !(x.stx_mask & STATX_DIOALIGN))
		return;
	if (x.stx_dio_offset_align == 0)
		fall_back(b, "this file has none");
	else if (x.stx_dio_offset_align > MOST_ALIGN || b->bytes % x.stx_dio_offset_align)
		fall_back(b, "its size is no multiple of the blocks that direct access needs");
	else if (x.stx_dio_offset_align > SECTOR)
		b->align = x.stx_dio_offset_align;
}

int backing_open(struct backing *b, int fd, const char *path, bool is_direct,
		 _Atomic uint64_t *errors, struct err *e)
{
	off_t bytes = lseek(fd, 0, SEEK_END); /* a block device tells its size by this alone */

	if (bytes < 0)
		return err_sys(e, RESOURCE, "tell the size of disk '%s'", path);
	if (bytes < SECTOR)
		return err_set(e, RESOURCE,
			       "disk '%s' has no sector of %d bytes: make it larger, for example "
			       "by `truncate -s 1G`",
			       path, SECTOR);
	b->fd = fd;
	b->path = path;
	b->bytes = (uint64_t)bytes / SECTOR * SECTOR;
	b->align = SECTOR;
	b->errors = errors;
	if (is_direct)
		open_direct(b);
	return 0;
}

/* --- requests --- */

/* 0, or what errno says is counted and logged. */
static int judge(struct backing *b, bool is_done, const char *what)
{
	const char *reason = strerrordesc_np(errno);
	struct log_about about = {.loggers = b->loggers};
	char more[BUCKET_TEXT];

	if (is_done)
		return 0;
	atomic_fetch_add_explicit(b->errors, 1, memory_order_relaxed);
	if (bucket_take(&b->bucket, clock_mono_ms(), more))
		log_error(&about,
			  "disk '%s' does not %s: %s; the guest sees an I/O error, which `errors` "
			  "of its status counts%s",
			  b->path, what, reason ? reason : "unknown error", more);
	return -1;
}

/* Drop n bytes from the front. */
static void advance(struct iovec **part, unsigned *n_parts, size_t n)
{
	while (*n_parts && n >= (*part)->iov_len) {
		n -= (*part)->iov_len;
		++*part;
		--*n_parts;
	}
	if (*n_parts) {
		(*part)->iov_base = (uint8_t *)(*part)->iov_base + n;
		(*part)->iov_len -= n;
	}
}

int backing_transfer(struct backing *b, struct iovec *part, unsigned n_parts, uint64_t at,
		     bool is_write)
{
	for (;;) {
		ssize_t n;

		advance(&part, &n_parts, 0); /* empty ones */
		if (n_parts == 0)
			return 0;
		n = is_write ? pwritev(b->fd, part, (int)n_parts, (off_t)at)
			     : preadv(b->fd, part, (int)n_parts, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		/* Also for a request that was under way while another one fell back: it is made again. */
		if (n < 0 && errno == EINVAL && atomic_load(&b->is_direct)) {
			fall_back(b, "the guest's buffers are not aligned for it");
			continue;
		}
		if (n == 0)
			errno = ENXIO; /* the file was cut short */
		if (n <= 0)
			return judge(b, false, is_write ? "take a write" : "give a read");
		at += (uint64_t)n;
		advance(&part, &n_parts, (size_t)n);
	}
}

int backing_flush(struct backing *b)
{
	return judge(b, fdatasync(b->fd) == 0, "flush");
}

static int allocate(const struct backing *b, int mode, uint64_t at, uint64_t bytes)
{
	int r;

	do
		r = fallocate(b->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes);
	while (r < 0 && errno == EINTR);
	return r;
}

int backing_discard(struct backing *b, uint64_t at, uint64_t bytes)
{
	/* 5.2.6.2: a hint, which some file systems cannot take. */
	return judge(b, allocate(b, FALLOC_FL_PUNCH_HOLE, at, bytes) == 0 || errno == EOPNOTSUPP,
		     "discard");
}

/* By hand, where there is no short way. */
static int write_zeroes(struct backing *b, uint64_t at, uint64_t bytes)
{
	static _Alignas(MOST_ALIGN) uint8_t zeroes[64 * 1024];

	while (bytes) {
		struct iovec part = {zeroes, bytes < sizeof zeroes ? bytes : sizeof zeroes};
		size_t n = part.iov_len;

		if (backing_transfer(b, &part, 1, at, true) < 0)
			return -1;
		at += n;
		bytes -= n;
	}
	return 0;
}

int backing_zero(struct backing *b, uint64_t at, uint64_t bytes, bool may_unmap)
{
	/* A hole in a file, and a hole in a block device that zeroes by it, read as zeroes. */
	if ((may_unmap && allocate(b, FALLOC_FL_PUNCH_HOLE, at, bytes) == 0) ||
	    allocate(b, FALLOC_FL_ZERO_RANGE, at, bytes) == 0)
		return 0;
	if (errno == EOPNOTSUPP)
		return write_zeroes(b, at, bytes);
	return judge(b, false, "zero");
}
