/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/dumpsearch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sealed.h"
#include "base/str.h"
#include "daemon/worker/resource.h"

enum { DUMPS_MOST = 2048, BLOCK = 512 };

/* -1: it is not there, or not allowed any more. */
static int open_folder(const struct dumpsearch *s, unsigned i)
{
	struct msg_want want = {.kind = WANT_DUMP};
	const struct resource r = {
		.config = s->config, .vm = s->vm, .want = &want, .worker_fd = -1};
	struct err e;
	int fd = -1;

	if (i == 0)
		return open(s->folder[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	str_copy(want.path, sizeof want.path, s->folder[i]);
	return resource_open(&r, &fd, &e) < 0 ? -1 : fd;
}

static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_uid == geteuid();
}

static void describe(const struct dumpsearch *s, unsigned i, const char *name,
		     const struct stat *st, struct msg_dump *ret)
{
	const struct msg_dump *x = &s->unfinished;

	*ret = (struct msg_dump){.bytes = (uint64_t)st->st_size,
				 .disk_bytes = (uint64_t)st->st_blocks * BLOCK,
				 .at_ms = st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000,
				 .is_unfinished = !strcmp(name, x->name) &&
						  !strcmp(s->folder[i], x->folder)};
	str_copy(ret->name, sizeof ret->name, name);
	str_copy(ret->folder, sizeof ret->folder, s->folder[i]);
	dumpfile_tag(st, ret->tag);
	if (ret->is_unfinished)
		ret->needed_bytes = x->needed_bytes;
}

static size_t list_folder(const struct dumpsearch *s, unsigned i, struct msg_dump *ret, size_t most)
{
	AUTO_FD int fd = open_folder(s, i);
	int look = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR DIR *dir = look < 0 ? NULL : fdopendir(look);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir && look >= 0)
		close(look);
	while (dir && n < most && (entry = readdir(dir))) {
		struct stat st;

		if (dumpfile_is_of(entry->d_name, s->vm) &&
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_ours(&st))
			describe(s, i, entry->d_name, &st, &ret[n++]);
	}
	return n;
}

int dumpsearch_list(const struct dumpsearch *s, int *ret_fd, struct err *e)
{
	AUTO_FREE struct msg_dump *found = calloc(DUMPS_MOST, sizeof *found);
	size_t n = 0;

	if (!found)
		abort();
	for (unsigned i = 0; i < s->n_folders; i++)
		n += list_folder(s, i, found + n, DUMPS_MOST - n);
	*ret_fd = sealed_text("dumps", (const char *)found, n * sizeof *found);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "write the list of dumps") : 0;
}

static int none(const struct dumpsearch *s, const char *name, struct err *e)
{
	err_set(e, NOT_FOUND, "there is no dump '%s' of '%s'", name, s->vm);
	return err_advise(e, "qvmadm dumps %s shows those that there are", s->vm);
}

int dumpsearch_open(const struct dumpsearch *s, const char *name, int *ret_fd, struct err *e)
{
	for (unsigned i = 0; i < s->n_folders; i++) {
		AUTO_FD int folder = open_folder(s, i);
		AUTO_FD int fd = -1;
		struct stat st;

		if (folder < 0)
			continue;
		fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != ELOOP)
			return err_sys(e, RESOURCE, "open the dump '%s' in '%s'", name,
				       s->folder[i]);
		if (fd < 0 || fstat(fd, &st) < 0 || !is_ours(&st))
			continue;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return none(s, name, e);
}

int dumpsearch_remove(const struct dumpsearch *s, const char *name, struct err *e)
{
	for (unsigned i = 0; i < s->n_folders; i++) {
		AUTO_FD int folder = open_folder(s, i);
		struct stat st;

		if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_ours(&st))
			continue;
		if (unlinkat(folder, name, 0) < 0)
			return err_sys(e, RESOURCE, "remove the dump '%s' in '%s'", name,
				       s->folder[i]);
		return 0;
	}
	return none(s, name, e);
}
