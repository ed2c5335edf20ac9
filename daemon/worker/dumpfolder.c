/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/dumpfolder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
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
#include "daemon/worker/opener.h"
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

static size_t list(int dir_fd, const char *vm, struct file *ret)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
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

uint64_t dumpfolder_bytes(int ram_fd)
{
	struct stat ram;

	return fstat(ram_fd, &ram) == 0 && ram.st_blocks ? (uint64_t)ram.st_blocks * BLOCK : 1;
}

void dumpfolder_own(struct dumpfolder_job *j)
{
	j->folder_fd = -1;
	snprintf(j->path, sizeof j->path, "%s/dumps/%s", j->config->state_dir, j->vm);
}

/* --- in the opener --- */

static void prune(const struct dumpfolder_job *j, int dir_fd)
{
	AUTO_FREE struct file *file = calloc(FILES_MOST, sizeof *file);
	uint64_t bytes = j->bytes;
	size_t n, kept = 1;

	if (!file)
		abort();
	n = list(dir_fd, j->vm, file);
	qsort(file, n, sizeof *file, by_age);
	while (n-- > 0) {
		bytes += file[n].bytes;
		if (++kept > j->config->dump_keep || bytes > j->config->dump_space_bytes)
			unlinkat(dir_fd, file[n].name, 0);
	}
}

static int has_room(const struct dumpfolder_job *j, int dir_fd, struct err *e)
{
	char wanted[24], left[24];
	struct statvfs fs;
	uint64_t there;

	if (fstatvfs(dir_fd, &fs) < 0)
		return err_sys(e, RESOURCE, "look at the file system of '%s'", j->path);
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there >= j->bytes + RESERVE)
		return 0;
	return err_set(e, RESOURCE,
		       "%s are needed in '%s' beside 64M for the state, %s are free: make room, or "
		       "name another place with `dump FOLDER`",
		       str_bytes(j->bytes, wanted), j->path, str_bytes(there, left));
}

static int make_folder(const char *path, struct err *e)
{
	if (mkdirat(AT_FDCWD, path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", path);
	return 0;
}

static int open_folder(const struct dumpfolder_job *j, int *ret_fd, struct err *e)
{
	char above[MESSAGE_PATH];

	if (j->folder_fd >= 0) {
		*ret_fd = OPENER_KEPT_FD;
		return 0;
	}
	snprintf(above, sizeof above, "%s/dumps", j->config->state_dir);
	if (make_folder(above, e) < 0 || make_folder(j->path, e) < 0)
		return -1;
	*ret_fd = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_fd < 0)
		return err_sys(e, RESOURCE, "open the folder '%s'", j->path);
	return 0;
}

static int make(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e)
{
	const struct dumpfolder_job *j = job;
	char name[DUMPFILE_NAME];
	int dir_fd;

	if (i == DUMPFOLDER_FOLDER)
		return open_folder(j, ret_fd, e);
	dir_fd = opened[DUMPFOLDER_FOLDER];
	prune(j, dir_fd);
	if (j->folder_fd < 0 && has_room(j, dir_fd, e) < 0)
		return -1;
	return dumpfile_create(dir_fd, j->vm, j->at_ms, name, ret_fd, e);
}

static void unmake(const void *job, uint32_t i, const int *opened)
{
	char name[DUMPFILE_NAME];
	struct err unused;

	(void)job;
	if (i == DUMPFOLDER_FILE && dumpfolder_name(opened[i], name, &unused) == 0)
		unlinkat(opened[DUMPFOLDER_FOLDER], name, 0);
}

static int remove_one(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e)
{
	(void)i;
	(void)opened;
	(void)ret_fd;
	if (unlinkat(OPENER_KEPT_FD, job, 0) < 0 && errno != ENOENT)
		return err_sys(e, RESOURCE, "remove '%s'", (const char *)job);
	return 0;
}

/* --- the supervisor --- */

int dumpfolder_make(struct opener_set *s, const struct dumpfolder_job *j, struct opener_spec how,
		    struct opener **ret, struct err *e)
{
	how.n = DUMPFOLDER_ITEMS;
	how.work = make;
	how.undo = unmake;
	how.job = j;
	how.keep = &j->folder_fd;
	how.n_keep = j->folder_fd >= 0;
	how.finishes = true;
	return opener_spawn(s, &how, ret, e);
}

/* The kernel knows it without asking the file system. */
int dumpfolder_name(int fd, char ret[static DUMPFILE_NAME], struct err *e)
{
	char link[32], path[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return err_sys(e, RESOURCE, "find out how the file of a dump is called");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || !str_copy(ret, DUMPFILE_NAME, slash + 1))
		return err_set(e, RESOURCE, "the file of a dump is called '%s'", path);
	return 0;
}

int dumpfolder_remove(struct opener_set *s, int dir_fd, const char *name, struct opener_spec how,
		      struct opener **ret, struct err *e)
{
	how.n = 1;
	how.work = remove_one;
	how.job = name;
	how.keep = &dir_fd;
	how.n_keep = 1;
	how.finishes = true;
	return opener_spawn(s, &how, ret, e);
}
