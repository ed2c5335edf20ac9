/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/dumpfolder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dumpfile.h"
#include "base/str.h"
#include "daemon/config.h"
#include "daemon/worker/process.h"
#include "daemon/worker/resource.h"

enum {
	FILES_MOST = 2048,  /* looked at; there are no more unless somebody else put them there */
	RESERVE = 64 << 20, /* bytes that a dump leaves to state.db, which lies beside it */
	BLOCK = 512,
};

static int dumpfolder_open(const struct resource *r, int *ret_fd, struct err *e)
{
	char name[NAME_MAX + 1], path[MESSAGE_PATH + 8];
	struct msg_want inside = *r->want;
	struct resource of = *r;

	of.want = &inside;
	snprintf(path, sizeof path, "%s/x", r->want->path);
	if (!str_copy(inside.path, sizeof inside.path, path))
		return err_set(e, RESOURCE, "the folder '%.200s' has too long a path",
			       r->want->path);
	return resource_folder(&of, name, ret_fd, e);
}

static int probe(const struct resource *r, struct err *e)
{
	AUTO_FD int fd = -1;

	return dumpfolder_open(r, &fd, e);
}

const struct resource_kind dump_kind = {probe, dumpfolder_open, NULL};

struct file {
	char name[DUMPFILE_NAME];
	struct timespec at;
	uint64_t bytes;
};

static int by_age(const void *left, const void *right)
{
	const struct file *a = left, *b = right;

	if (a->at.tv_sec != b->at.tv_sec)
		return a->at.tv_sec < b->at.tv_sec ? -1 : 1;
	return (a->at.tv_nsec > b->at.tv_nsec) - (a->at.tv_nsec < b->at.tv_nsec);
}

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

static size_t list(int dir_fd, const char *vm, struct file *ret)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(close_folder) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && n < FILES_MOST && (entry = readdir(dir))) {
		struct stat st;

		if (!dumpfile_is_of(entry->d_name, vm) ||
		    !str_copy(ret[n].name, sizeof ret[n].name, entry->d_name) ||
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		ret[n].at = st.st_mtim;
		ret[n++].bytes = (uint64_t)st.st_blocks * BLOCK;
	}
	return n;
}

/* What a dump of it takes at most, but for some pages. */
static uint64_t needed(int ram_fd)
{
	struct stat ram;

	return fstat(ram_fd, &ram) == 0 && ram.st_blocks ? (uint64_t)ram.st_blocks * BLOCK : 1;
}

struct prune {
	const struct config *config;
	const char *vm;
	uint64_t more;
};

static void prune(int dir_fd, const void *arg)
{
	const struct prune *p = arg;
	struct file *file = calloc(FILES_MOST, sizeof *file);
	uint64_t bytes = p->more;
	size_t n, kept = 1;

	if (!file)
		abort();
	n = list(dir_fd, p->vm, file);
	qsort(file, n, sizeof *file, by_age);
	while (n-- > 0) {
		bytes += file[n].bytes;
		if (++kept > p->config->dump_keep || bytes > p->config->dump_space_bytes)
			unlinkat(dir_fd, file[n].name, 0);
	}
	_exit(0);
}

int dumpfolder_prune(int dir_fd, const char *vm, const struct config *c, int ram_fd,
		     struct process *ret, struct err *e)
{
	const struct prune p = {c, vm, needed(ram_fd)};

	return process_fork(prune, &p, dir_fd, ret, e);
}

static void remove_one(int dir_fd, const void *arg)
{
	_exit(unlinkat(dir_fd, arg, 0) < 0);
}

int dumpfolder_remove(int dir_fd, const char *name, struct process *ret, struct err *e)
{
	return process_fork(remove_one, name, dir_fd, ret, e);
}

int dumpfolder_has_room(int dir_fd, const char *path, int ram_fd, struct err *e)
{
	const uint64_t bytes = needed(ram_fd);
	char wanted[24], left[24];
	struct statvfs fs;
	uint64_t there;

	if (fstatvfs(dir_fd, &fs) < 0)
		return err_sys(e, RESOURCE, "look at the file system of '%s'", path);
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there >= bytes + RESERVE)
		return 0;
	return err_set(e, RESOURCE,
		       "%s are needed in '%s' beside 64M for the state, %s are free: make room, or "
		       "name another place with `dump FOLDER`",
		       str_bytes(bytes, wanted), path, str_bytes(there, left));
}

int dumpfolder_make(const struct config *c, const char *vm, char *ret_path, size_t cap, int *ret_fd,
		    struct err *e)
{
	snprintf(ret_path, cap, "%s/dumps", c->state_dir);
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", ret_path);
	snprintf(ret_path, cap, "%s/dumps/%s", c->state_dir, vm);
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", ret_path);
	*ret_fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_fd < 0)
		return err_sys(e, RESOURCE, "open the folder '%s'", ret_path);
	return 0;
}
