/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/resource.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/disk.h"
#include "base/sealed.h"
#include "base/str.h"
#include "daemon/config.h"

enum { RAM_MAX_SHIFT = 46 }; /* guest-physical addresses of any x86 */

/* `path` below an allowed folder: the folder's index, and the rest of the path. */
static const char *below(const struct config *c, const char *path, unsigned *ret_allow)
{
	for (unsigned i = 0; i < c->n_allows; i++) {
		size_t n = strlen(c->allow[i]);

		if (n == 1)
			n = 0; /* "/" */
		if (!strncmp(path, c->allow[i], n) && path[n] == '/') {
			*ret_allow = i;
			return path + n + 1;
		}
	}
	return NULL;
}

/* Whatever `allow` says: what the supervisor keeps is no guest's to read or write. */
static int judge_ours(const struct config *c, const char *path, struct err *e)
{
	const char *const folder[] = {c->state_dir, c->run_dir};
	char real[PATH_MAX];

	for (size_t i = 0; i < NELEMS(folder); i++) {
		size_t n = realpath(folder[i], real) ? strlen(real) : 0;

		if (n && !strncmp(path, real, n) && (path[n] == '/' || !path[n]))
			return err_set(e, RESOURCE,
				       "'%s' is in the supervisor's own folder '%s': name another "
				       "place",
				       path, real);
	}
	return 0;
}

static int open_below(const struct config *c, const char *real, uint64_t flags, uint64_t mode,
		      int *ret_fd, struct err *e)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
			       .mode = mode,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};
	unsigned allow = 0;
	const char *rest = below(c, real, &allow);

	if (judge_ours(c, real, e) < 0)
		return -1;
	if (!rest)
		return err_set(e, RESOURCE,
			       "'%s' is in none of the folders that this host allows: add `allow = "
			       "FOLDER` to qvmd.conf or move the file",
			       real);
	AUTO_FD int dir = open(c->allow[allow], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, RESOURCE, "open the allowed folder '%s'", c->allow[allow]);
	*ret_fd = (int)syscall(SYS_openat2, dir, rest, &how, sizeof how);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "open '%s'", real) : 0;
}

/* Devices whose opening changes nothing: null, zero, random, urandom; terminals and serial lines. */
static bool is_quiet_device(dev_t d)
{
	static const unsigned lines[] = {4,   5,   136, 137, 138, 139, 140,
					 141, 142, 143, 166, 188, 204};
	unsigned minor_ = minor(d);

	if (major(d) == 1)
		return minor_ == 3 || minor_ == 5 || minor_ == 8 || minor_ == 9;
	for (size_t i = 0; i < NELEMS(lines); i++)
		if (major(d) == lines[i])
			return true;
	return false;
}

/* Nothing but a regular file will do. */
static bool is_plain(const struct msg_want *w)
{
	return w->kind == WANT_IMAGE || w->kind == WANT_PASS || w->kind == WANT_PASS_READ;
}

static bool is_disk(const struct msg_want *w)
{
	return w->kind == WANT_DISK || w->kind == WANT_DISK_READ;
}

static int check_kind(int fd, const struct msg_want *w, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(e, RESOURCE, "look at '%s'", w->path);
	if (is_disk(w) && S_ISBLK(st.st_mode))
		return 0;
	if (!is_plain(w) && !is_disk(w) && S_ISCHR(st.st_mode) && is_quiet_device(st.st_rdev))
		return 0;
	if (w->kind != WANT_IMAGE && !is_disk(w) && S_ISFIFO(st.st_mode))
		return 0; /* opened and used without waiting */
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE, "'%s' is not a regular file%s", w->path,
			       is_disk(w)    ? " or a block device"
			       : is_plain(w) ? ""
					     : ", a FIFO or a terminal");
	if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC)
		return err_set(e, RESOURCE, "'%s' is the kernel's own, not a file on a disk",
			       w->path);
	return 0;
}

/* The folder of a file that need not be there yet, made canonical. */
static int real_parent(const char *path, char real[static PATH_MAX], struct err *e)
{
	char folder[MESSAGE_PATH];
	const char *slash = strrchr(path, '/');
	size_t n;

	str_copy(folder, sizeof folder, path);
	folder[slash == path ? 1 : slash - path] = '\0';
	if (!slash[1] || !strcmp(slash, "/.") || !strcmp(slash, "/.."))
		return err_set(e, RESOURCE, "'%s' names no file", path);
	if (!realpath(folder, real))
		return err_sys(e, RESOURCE, "find the folder of '%s'", path);
	n = strlen(real);
	str_add(real, PATH_MAX, &n, "%s", n > 1 ? slash : slash + 1);
	return 0;
}

int resource_find(const struct resource *r, char real[static RESOURCE_PATH], int *ret_path,
		  struct err *e)
{
	const struct msg_want *w = r->want;

	*ret_path = -1;
	if (w->path[0] != '/')
		return err_set(e, RESOURCE, "'%s' is not an absolute path: write it in full",
			       w->path);
	if (!realpath(w->path, real)) {
		if (errno != ENOENT || w->kind != WANT_OUTPUT)
			return err_sys(e, RESOURCE, "open '%s'", w->path);
		unsigned allow;
		struct stat st;

		/* A dangling link is an answer too, but not one that may be written through. */
		if (lstat(w->path, &st) == 0)
			return err_set(e, RESOURCE, "'%s' is a link to nothing", w->path);
		if (real_parent(w->path, real, e) < 0 || judge_ours(r->config, real, e) < 0)
			return -1;
		return below(r->config, real, &allow)
			       ? 0
			       : err_set(e, RESOURCE,
					 "'%s' is in none of the folders that this host allows: "
					 "add "
					 "`allow = FOLDER` to qvmd.conf or name another file",
					 real);
	}
	AUTO_FD int fd = -1;
	if (open_below(r->config, real, O_PATH, 0, &fd, e) < 0 || check_kind(fd, w, e) < 0)
		return -1;
	*ret_path = TAKE_FD(fd);
	return 0;
}

int resource_folder(const struct resource *r, char ret_name[static NAME_MAX + 1], int *ret_fd,
		    struct err *e)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};
	const char *path = r->want->path;
	char real[PATH_MAX], *rest, *slash;
	unsigned allow = 0;

	if (path[0] != '/')
		return err_set(e, RESOURCE, "'%s' is not an absolute path: write it in full", path);
	if (real_parent(path, real, e) < 0 || judge_ours(r->config, real, e) < 0)
		return -1;
	rest = (char *)below(r->config, real, &allow);
	if (!rest)
		return err_set(e, RESOURCE,
			       "'%s' is in none of the folders that this host allows: add `allow = "
			       "FOLDER` to qvmd.conf or name another place",
			       real);
	slash = strrchr(rest, '/');
	if (!str_copy(ret_name, NAME_MAX + 1, slash ? slash + 1 : rest))
		return err_set(e, RESOURCE, "the name in '%s' is over %d bytes", real, NAME_MAX);
	if (slash)
		*slash = '\0';
	AUTO_FD int dir = open(r->config->allow[allow], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, RESOURCE, "open the allowed folder '%s'",
			       r->config->allow[allow]);
	*ret_fd = slash ? (int)syscall(SYS_openat2, dir, rest, &how, sizeof how) : TAKE_FD(dir);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "open the folder of '%s'", path) : 0;
}

int resource_reopen(int fd, int flags, int *ret_fd, struct err *e)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	*ret_fd = open(path, flags | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "open a descriptor anew") : 0;
}

static int open_file(const struct resource *r, int *ret_fd, struct err *e)
{
	const struct msg_want *w = r->want;
	int flags = w->kind == WANT_OUTPUT ? O_WRONLY | O_APPEND : O_RDONLY;
	char real[PATH_MAX];
	AUTO_FD int path = -1;

	if (!strcmp(w->path, "-")) {
		*ret_fd = open("/dev/null", flags | O_CLOEXEC);
		return *ret_fd < 0 ? err_sys(e, RESOURCE, "open '/dev/null'") : 0;
	}
	if (resource_find(r, real, &path, e) < 0)
		return -1;
	if (path < 0)
		return open_below(r->config, real, (uint64_t)flags | O_CREAT | O_EXCL | O_NOCTTY,
				  0640, ret_fd, e);
	if (resource_reopen(path, flags | O_NONBLOCK | O_NOCTTY, ret_fd, e) < 0)
		return e->os_errno == ENXIO
			       ? err_set(e, RESOURCE,
					 "nobody reads the FIFO '%s'; start its reader first",
					 w->path)
			       : err_sys(e, RESOURCE, "open '%s'", w->path);
	return 0;
}

/* The lock lives on the description that the worker gets, now or later. */
static int open_disk(const struct resource *r, int *ret_fd, struct err *e)
{
	bool is_writer = r->want->kind == WANT_DISK;
	char real[PATH_MAX];
	AUTO_FD int path = -1;
	AUTO_FD int fd = -1;

	if (resource_find(r, real, &path, e) < 0)
		return -1;
	if (resource_reopen(path, (is_writer ? O_RDWR : O_RDONLY) | O_NONBLOCK, &fd, e) < 0)
		return err_sys(e, RESOURCE, "open disk '%s'%s", r->want->path,
			       is_writer ? " to read and write" : "");
	if (!r->is_late && disk_lock(fd, r->want->path, is_writer, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_ram(const struct resource *r, int *ret_fd, struct err *e)
{
	uint64_t bytes = r->want->bytes;
	int fd = sealed_memory("qvm-ram", bytes);

	if (fd < 0)
		return err_sys(e, RESOURCE, "make %" PRIu64 " bytes of guest memory", bytes);
	*ret_fd = fd;
	return 0;
}

static int open_kvm(const struct resource *r, int *ret_fd, struct err *e)
{
	(void)r;
	*ret_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, KVM, "open '/dev/kvm'") : 0;
}

static int make_box(const struct resource *r, int *ret_fd, struct err *e)
{
	return blackbox_create(r->vm, r->plan->n_vcpus, r->plan->n_vdevs, ret_fd, e);
}

static int probe_kvm(const struct resource *r, struct err *e)
{
	(void)r;
	return access("/dev/kvm", R_OK | W_OK) < 0 ? err_sys(e, KVM, "open '/dev/kvm'") : 0;
}

static int probe_ram(const struct resource *r, struct err *e)
{
	uint64_t bytes = r->want->bytes;

	if (bytes == 0 || bytes % 4096 || bytes >> RAM_MAX_SHIFT)
		return err_set(e, PROTOCOL, "the worker wants %" PRIu64 " bytes of guest memory",
			       bytes);
	return 0;
}

static int probe_file(const struct resource *r, struct err *e)
{
	char real[PATH_MAX];
	AUTO_FD int path = -1;

	return strcmp(r->want->path, "-") ? resource_find(r, real, &path, e) : 0;
}

const struct resource_kind kvm_kind = {probe_kvm, open_kvm, NULL};
const struct resource_kind ram_kind = {probe_ram, NULL, make_ram};
const struct resource_kind blackbox_kind = {NULL, NULL, make_box};
const struct resource_kind image_kind = {probe_file, open_file, NULL};
const struct resource_kind output_kind = {probe_file, open_file, NULL};
const struct resource_kind input_kind = {probe_file, open_file, NULL};
const struct resource_kind disk_kind = {probe_file, open_disk, NULL};
const struct resource_kind disk_read_kind = {probe_file, open_disk, NULL};

static const struct resource_kind *const kinds[WANT_COUNT] = {
#define WANT(id, lower, name, warm, what) &lower##_kind,
#include "schemas/wants.def"
#undef WANT
};

int resource_open(const struct resource *r, int *ret_fd, struct err *e)
{
	const struct resource_kind *k = kinds[r->want->kind];

	return k->open ? k->open(r, ret_fd, e) : 0;
}

int resource_make(const struct resource *r, int *fd, struct err *e)
{
	const struct resource_kind *k = kinds[r->want->kind];

	return k->make ? k->make(r, fd, e) : 0;
}

int resource_probe(const struct resource *r, struct err *e)
{
	const struct resource_kind *k = kinds[r->want->kind];

	return k->probe ? k->probe(r, e) : 0;
}
