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

void dumpfolder_prune(int dir_fd, const char *vm, const struct config *c, uint64_t more)
{
	AUTO_FREE struct file *file = calloc(FILES_MOST, sizeof *file);
	size_t n, kept = more ? 1 : 0;
	uint64_t bytes = more;

	if (!file)
		abort();
	n = list(dir_fd, vm, file);
	qsort(file, n, sizeof *file, by_age);
	while (n-- > 0) {
		bytes += file[n].bytes;
		if (kept++ > 0 && (kept > c->dump_keep || bytes > c->dump_space_bytes))
			unlinkat(dir_fd, file[n].name, 0);
	}
}

static int leave_room(int dir_fd, const char *path, uint64_t needed, struct err *e)
{
	char wanted[24], left[24];
	struct statvfs fs;
	uint64_t there;

	if (fstatvfs(dir_fd, &fs) < 0)
		return err_sys(e, RESOURCE, "look at the file system of '%s'", path);
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there >= needed + RESERVE)
		return 0;
	return err_set(e, RESOURCE,
		       "%s are needed in '%s' beside 64M for the state, %s are free: make room, or "
		       "name another place with `dump FOLDER`",
		       str_bytes(needed, wanted), path, str_bytes(there, left));
}

int dumpfolder_make(const struct config *c, const char *vm, int ram_fd, char *ret_path, size_t cap,
		    int *ret_fd, struct err *e)
{
	AUTO_FD int fd = -1;
	struct stat ram;
	uint64_t needed;

	snprintf(ret_path, cap, "%s/dumps", c->state_dir);
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", ret_path);
	snprintf(ret_path, cap, "%s/dumps/%s", c->state_dir, vm);
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", ret_path);
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(ram_fd, &ram) < 0)
		return err_sys(e, RESOURCE, "open the folder '%s'", ret_path);
	needed = (uint64_t)ram.st_blocks * BLOCK;
	dumpfolder_prune(fd, vm, c, needed ? needed : 1);
	if (leave_room(fd, ret_path, needed, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
