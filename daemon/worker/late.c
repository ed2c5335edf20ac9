/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/late.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/pass.h"
#include "base/str.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/recall.h"
#include "daemon/worker/opener.h"
#include "schemas/message.h"

/* Room for one more. */
static struct late_item *grow(struct late *l)
{
	if (!l->item)
		l->item = calloc(LATE_MOST, sizeof *l->item);
	if (!l->item)
		abort();
	return l->n < LATE_MOST ? &l->item[l->n] : NULL;
}

int late_add(struct late *l, const struct msg_want *w, int fd, const struct msg_opened *what,
	     struct err *e)
{
	struct late_item *x = grow(l);

	if (!x)
		return err_set(e, LIMIT,
			       "a standby that is held ready has at most %d files: set its "
			       "primary's policy standby_warm to false",
			       LATE_MOST);
	x->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (x->fd < 0)
		return err_sys(e, RESOURCE, "keep '%s' open", w->path);
	x->note = (struct note_late){
		.bytes = what->bytes, .mtime_ns = what->mtime_ns, .kind = w->kind, .line = w->line};
	str_copy(x->note.option, sizeof x->note.option, w->option);
	str_copy(x->note.path, sizeof x->note.path, w->path);
	l->n++;
	return 0;
}

void late_keep(const struct late *l, struct keep *k, const char *vm, uint64_t generation)
{
	struct msg_keep key = {.kind = KEEP_LATE, .generation = generation};

	str_copy(key.owner, sizeof key.owner, vm);
	for (uint32_t i = 0; i < l->n; i++) {
		key.tag = KEEP_TAG_LATE + i;
		keep_put(k, &key, &l->item[i].note, sizeof l->item[i].note, l->item[i].fd);
	}
}

void late_recall(struct late *l, struct recall *r, const char *vm, uint64_t generation)
{
	for (uint64_t tag = KEEP_TAG_LATE; tag < KEEP_TAG_LATE + LATE_MOST; tag++) {
		const struct kept *k = recall_find(r, vm, generation, KEEP_LATE, tag);
		struct late_item *x;

		if (!k || !(x = grow(l)))
			continue;
		memcpy(&x->note, k->m.note, sizeof x->note);
		x->note.option[sizeof x->note.option - 1] = '\0';
		x->note.path[sizeof x->note.path - 1] = '\0';
		x->fd = recall_take(r, vm, generation, KEEP_LATE, tag);
		l->n++;
	}
}

void late_drop(const struct late *l, struct keep *k, const char *vm, uint64_t generation)
{
	struct msg_drop what = {.kind = KEEP_LATE, .generation = generation};

	str_copy(what.owner, sizeof what.owner, vm);
	for (uint32_t i = 0; i < l->n; i++) {
		what.tag = KEEP_TAG_LATE + i;
		keep_drop(k, &what);
	}
}

void late_free(struct late *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		close(l->item[i].fd);
	free(l->item);
	*l = (struct late){0};
}

/* What the machine was assembled with is still what a start would find. The content of a disk is read by
 * the guest alone; that of an image is in its memory already. */
static int look(const struct note_late *n, int fd, struct err *e)
{
	struct stat named, ours;
	uint64_t bytes;

	if (stat(n->path, &named) < 0 || fstat(fd, &ours) < 0)
		return err_set(e, STALE, "'%.300s' is not there any more", n->path);
	if (named.st_dev != ours.st_dev || named.st_ino != ours.st_ino)
		return err_set(e, STALE, "'%.300s' is another file now", n->path);
	bytes = opener_bytes(fd, &ours);
	if (bytes != n->bytes)
		return err_set(e, STALE, "'%.300s' has %" PRIu64 " bytes now, it had %" PRIu64,
			       n->path, bytes, n->bytes);
	if (n->kind == WANT_IMAGE && opener_mtime_ns(&ours) != n->mtime_ns)
		return err_set(e, STALE, "'%.300s' has been written to", n->path);
	return 0;
}

static int lock(const struct note_late *n, int fd, struct err *e)
{
	switch (n->kind) {
	case WANT_DISK:
	case WANT_DISK_READ: return disk_lock(fd, n->path, n->kind == WANT_DISK, e);
	case WANT_PASS:
	case WANT_PASS_READ: return pass_claim(fd, n->path, n->kind == WANT_PASS, e);
	default: return 0;
	}
}

static void unlock(int fd)
{
	struct flock none = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(fd, F_OFD_SETLK, &none);
}

/* Looked at first, so that what is of no use is not locked; and once it can change no more. */
int late_claim(const struct late *l, uint32_t i, int first_fd, struct err *e)
{
	const struct note_late *n = &l->item[i].note;
	int fd = first_fd + (int)i;
	struct err why;

	if (look(n, fd, &why) == 0 && lock(n, fd, &why) == 0 && look(n, fd, &why) == 0)
		return 0;
	*e = why;
	snprintf(e->msg, sizeof e->msg, "line %u (%s): %.250s", n->line, n->option, why.msg);
	for (uint32_t k = 0; k <= i; k++)
		unlock(first_fd + (int)k);
	return -1;
}
