/* SPDX-License-Identifier: Apache-2.0 */
#include "client/download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/dumpfile.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/progress.h"
#include "client/show/size.h"

enum { BLOCK = 4096, TRIES = 20, PAUSE_MS = 200 };

struct download {
	struct command_call *c;
	const char *vm, *name, *tag;
	uint64_t total, at; /* bytes that are there */
	char output[PATH_MAX], part[PATH_MAX];
	int fd;
	long status; /* 206: what comes is the rest */
	bool is_rest;
	struct err why; /* the disk's */
	struct progress bar;
};

static bool is_empty(const char *bytes, size_t n)
{
	return n == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, n - 1));
}

/* Up to the end of the block of the file that `at` lies in. */
static size_t piece(uint64_t at, size_t n)
{
	size_t to_edge = BLOCK - (size_t)(at % BLOCK);

	return n < to_edge ? n : to_edge;
}

static int write_all(struct download *x, const char *bytes, size_t n, uint64_t at)
{
	while (n) {
		ssize_t got = pwrite(x->fd, bytes, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		bytes += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

/* Blocks with something in them are written together, those without are passed over. */
static int store(struct download *x, const char *bytes, size_t n)
{
	while (n) {
		size_t run = 0, step;

		while (run < n && !is_empty(bytes + run, step = piece(x->at + run, n - run)))
			run += step;
		if (run && write_all(x, bytes, run, x->at) < 0)
			return -1;
		if (!run)
			run = piece(x->at, n);
		x->at += run;
		bytes += run;
		n -= run;
	}
	return 0;
}

static void refuse_disk(struct download *x)
{
	char there[SIZE_TEXT], all[SIZE_TEXT];

	if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) {
		err_sys(&x->why, RESOURCE, "write '%s'", x->part);
		return;
	}
	err_set(&x->why, RESOURCE,
		"there is no room for '%s': %s of %s are there. Make room and ask again, it goes "
		"on "
		"from there; or name another place with --file",
		x->part, size_text(x->at, there), size_text(x->total, all));
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
	struct download *x = arg;

	/* It is another file by now, and comes from its beginning. */
	if (x->is_rest && x->status != 206) {
		x->at = x->bar.before = 0;
		x->is_rest = false;
		if (ftruncate(x->fd, 0) < 0) {
			refuse_disk(x);
			return false;
		}
	}
	if (store(x, bytes, n) < 0) {
		refuse_disk(x);
		return false;
	}
	progress_show(&x->bar, x->at);
	return true;
}

static int open_part(struct download *x, struct err *e)
{
	struct stat st;

	x->fd = open(x->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (x->fd < 0)
		return err_sys(e, RESOURCE, "make the file '%s'", x->part);
	if (flock(x->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, RESOURCE, "another qvmadm is writing '%s'", x->part);
	if (fstat(x->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, RESOURCE, "'%s' is no regular file", x->part);
	x->at = (uint64_t)st.st_size;
	if (x->at > x->total && ftruncate(x->fd, 0) < 0)
		return err_sys(e, RESOURCE, "empty '%s'", x->part);
	x->at = x->at > x->total ? 0 : x->at;
	return 0;
}

/* One request for what is missing. */
static int fetch(struct download *x, struct http_response *ret, struct err *e)
{
	char range[48], tag[DUMPFILE_TAG + 2];
	struct http_request q = {.op = OP_dump_get,
				 .param = x->vm,
				 .second = x->name,
				 .accept = "*/*",
				 .timeout_ms = -1,
				 .sink = on_bytes,
				 .sink_arg = x,
				 .status = &x->status};

	snprintf(range, sizeof range, "bytes=%" PRIu64 "-", x->at);
	snprintf(tag, sizeof tag, "\"%s\"", x->tag);
	x->is_rest = x->at > 0;
	if (x->is_rest) {
		q.range = range;
		q.if_range = tag;
	}
	return http_call(x->c->http, &q, ret, e);
}

/* A connection that breaks off is made again as long as that helps. */
static int fetch_all(struct download *x, int *ret_status)
{
	for (unsigned tries = 0; x->at < x->total && !x->why.code; tries++) {
		AUTO_RESPONSE struct http_response r = {0};
		uint64_t before = x->at;
		struct err e;
		int got = fetch(x, &r, &e);

		tries = x->at > before ? 0 : tries;
		if (got == 0 && http_is_success(&r) && x->at > before)
			continue;
		if (got == 0 && !http_is_success(&r) && r.status != 502 && r.status != 503) {
			progress_end(&x->bar);
			*ret_status = problem_answer(&r, NULL, x->c->as_json);
			return -1;
		}
		if (tries < TRIES) {
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
			continue;
		}
		x->why = e;
		if (got == 0)
			err_set(&x->why, UNAVAILABLE, "the server answers with status %ld",
				r.status);
		snprintf(x->why.msg + strlen(x->why.msg), sizeof x->why.msg - strlen(x->why.msg),
			 "; what came is in '%s', and the next time goes on from there", x->part);
	}
	return 0;
}

/* Never over another file. */
static int finish(struct download *x, struct err *e)
{
	if (ftruncate(x->fd, (off_t)x->at) < 0)
		return err_sys(e, RESOURCE, "give '%s' its size", x->part);
	if (x->why.code) {
		*e = x->why;
		return -1;
	}
	if (fsync(x->fd) < 0)
		return err_sys(e, RESOURCE, "write '%s' to the disk", x->part);
	if (link(x->part, x->output) == 0)
		return unlink(x->part);
	if (errno == EEXIST)
		return err_set(e, RESOURCE, "'%s' exists already; what came is in '%s'", x->output,
			       x->part);
	if (rename(x->part, x->output) < 0) /* a file system without hard links */
		return err_sys(e, RESOURCE, "name '%s' '%s'", x->part, x->output);
	return 0;
}

static void tell(const struct download *x, uint64_t begun_ms)
{
	struct stat st = {0};
	char size[SIZE_TEXT], disk[SIZE_TEXT], span[AGE_TEXT];

	fstat(x->fd, &st);
	if (x->c->as_json) {
		printf("{\"name\":\"%s\",\"bytes\":%" PRIu64 ",\"disk_bytes\":%" PRId64 "}\n",
		       x->name, x->total, (int64_t)st.st_blocks * 512);
		return;
	}
	printf("%s: %s, %s on the disk, in %s\n", x->output, size_text(x->total, size),
	       size_text((uint64_t)st.st_blocks * 512, disk),
	       age_span((int64_t)(clock_mono_ms() - begun_ms), span));
}

int download_check(const char *output, struct err *e)
{
	AUTO_FREE char *folder = strdup(output);

	if (!folder)
		abort();
	if (access(output, F_OK) == 0)
		return err_set(e, RESOURCE,
			       "'%s' exists already: remove it, or name another file with --file",
			       output);
	if (access(dirname(folder), W_OK | X_OK) < 0)
		return err_sys(e, RESOURCE, "make a file in the folder '%s'", folder);
	return 0;
}

static int prepare(struct download *x, const char *output, const json_t *dump, struct err *e)
{
	if (strcmp(field_word(dump, "state"), "whole") != 0)
		return err_set(e, CONFLICT,
			       "the dump '%s' is being written still: %" PRId64 "%% are there",
			       x->name, field_number(dump, "done", 0));
	if (!str_copy(x->output, sizeof x->output, output ? output : x->name) ||
	    snprintf(x->part, sizeof x->part, "%s.%s.part", x->output, x->tag) >=
		    (int)sizeof x->part)
		return err_set(e, USAGE, "'%.200s' is too long a path", output);
	/* The names come from the server; they name nothing outside of the folder. */
	if ((!output && strchr(x->name, '/')) || strchr(x->tag, '/'))
		return err_set(e, NO_SERVER, "'%.100s' is no name of a file", x->name);
	return download_check(x->output, e) < 0 ? -1 : open_part(x, e);
}

static void close_part(const struct download *x)
{
	if (x->fd >= 0)
		close(x->fd);
}

int download_run(struct command_call *c, const char *vm, const json_t *dump, const char *output)
{
	AUTO(close_part)
	struct download x = {.c = c,
			     .vm = vm,
			     .name = field_text(dump, "name"),
			     .tag = field_text(dump, "etag"),
			     .total = (uint64_t)field_number(dump, "bytes", 0),
			     .fd = -1};
	uint64_t begun_ms = clock_mono_ms();
	struct err e;
	int status;

	if (prepare(&x, output, dump, &e) < 0)
		return problem_local(&e, c->as_json);
	if (x.at && !c->as_json) {
		char size[SIZE_TEXT];

		fprintf(stderr, "%s: going on behind %s\n", x.part, size_text(x.at, size));
	}
	progress_begin(&x.bar, stderr, x.name, x.total, x.at);
	if (fetch_all(&x, &status) < 0)
		return status;
	progress_end(&x.bar);
	if (finish(&x, &e) < 0)
		return problem_local(&e, c->as_json);
	tell(&x, begun_ms);
	return 0;
}
