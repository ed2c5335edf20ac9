/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/probe.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/disk.h"
#include "base/hostmem.h"
#include "base/hostports.h"
#include "base/pass.h"
#include "base/str.h"
#include "base/tap.h"
#include "base/uio.h"
#include "base/vfio.h"
#include "schemas/message.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/schedule.h"
#include "vmm/worker/rehearsal.h"

static bool is_allowed(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
}

/* A file may be made at the path: its folder is there, and takes one. */
static int ask_new(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	str_copy(folder, sizeof folder, slash ? path : ".");
	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	if (!is_allowed(folder, W_OK | X_OK))
		return err_sys(e, RESOURCE, "make '%s' in the folder '%s'", path, folder);
	return 0;
}

static int ask_kvm(const char *path, uint64_t n_cpus, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	int most = fd >= 0 ? kvm_extension(fd, KVM_CAP_MAX_VCPUS) : 0;

	if (fd < 0)
		return err_sys(e, RESOURCE, "open '%s' for a VM", path);
	return kvm_check_vcpus(n_cpus, most, e);
}

static int ask_image(const char *path, uint64_t room, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char has[24], fits[24];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "open image '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE, "image '%s' is not a regular file", path);
	if (st.st_size == 0)
		return err_set(e, RESOURCE, "image '%s' is empty", path);
	if ((uint64_t)st.st_size > room)
		return err_set(e, RESOURCE, "image '%s' has %s, its place in guest memory %s", path,
			       str_bytes((uint64_t)st.st_size, has), str_bytes(room, fits));
	return 0;
}

/* An open would be heard at the other end of a FIFO. */
static int ask_output(const char *path, uint64_t room, struct err *e)
{
	struct stat st;

	(void)room;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? ask_new(path, e)
				       : err_sys(e, RESOURCE, "look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, RESOURCE, "'%s' is a folder, not a file to write", path);
	return is_allowed(path, W_OK) ? 0 : err_sys(e, RESOURCE, "open '%s' to write", path);
}

static int ask_input(const char *path, uint64_t room, struct err *e)
{
	struct stat st;

	(void)room;
	if (stat(path, &st) < 0 || !is_allowed(path, R_OK))
		return err_sys(e, RESOURCE, "open '%s' to read", path);
	return S_ISDIR(st.st_mode)
		       ? err_set(e, RESOURCE, "'%s' is a folder, not a file to read", path)
		       : 0;
}

static int ask_link(const char *path, uint64_t room, struct err *e)
{
	(void)room;
	return path[0] ? ask_new(path, e) : 0;
}

static int open_whole(const char *path, bool is_writer, struct stat *st, int *ret_fd, struct err *e)
{
	*ret_fd = open(path, (is_writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*ret_fd < 0 || fstat(*ret_fd, st) < 0)
		return err_sys(e, RESOURCE, "open '%s' to read%s", path,
			       is_writer ? " and write" : "");
	return 0;
}

static int ask_disk_as(const char *path, bool is_writer, struct err *e)
{
	AUTO_FD int fd = -1;
	struct stat st = {0};

	if (open_whole(path, is_writer, &st, &fd, e) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, RESOURCE, "'%s' is neither a file nor a block device", path);
	return disk_is_free(fd, path, is_writer, e);
}

static int ask_disk(const char *path, uint64_t room, struct err *e)
{
	(void)room;
	return ask_disk_as(path, true, e);
}

static int ask_disk_read(const char *path, uint64_t room, struct err *e)
{
	(void)room;
	return ask_disk_as(path, false, e);
}

static int ask_pass_as(const char *path, bool is_writer, struct err *e)
{
	AUTO_FD int fd = -1;
	struct stat st = {0};

	if (open_whole(path, is_writer, &st, &fd, e) < 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE, "'%s' is not a regular file; only such can be passed",
			       path);
	return pass_is_free(fd, path, is_writer, e);
}

static int ask_pass(const char *path, uint64_t room, struct err *e)
{
	(void)room;
	return ask_pass_as(path, true, e);
}

static int ask_pass_read(const char *path, uint64_t room, struct err *e)
{
	(void)room;
	return ask_pass_as(path, false, e);
}

static int ask_tap(const char *path, uint64_t room, struct err *e)
{
	const char *name = tap_name(path);

	(void)room;
	return name ? tap_probe(name, e)
		    : err_set(e, RESOURCE, "'%s' is no name of a TAP interface", path);
}

static int ask_pci(const char *path, uint64_t room, struct err *e)
{
	const char *name = vfio_name(path);
	unsigned group;

	(void)room;
	return name ? vfio_probe("/sys", name, &group, e)
		    : err_set(e, RESOURCE, "'%s' is no PCI function of the host", path);
}

static int ask_uio(const char *path, uint64_t room, struct err *e)
{
	int n = uio_of(path);

	(void)room;
	return n >= 0 ? uio_probe("/sys", (unsigned)n, e)
		      : err_set(e, RESOURCE, "'%s' is no UIO device of the host", path);
}

static int ask_mem(const char *path, uint64_t room, struct err *e)
{
	AUTO_FD int iomem = open("/proc/iomem", O_RDONLY | O_CLOEXEC);
	struct hostmem h;

	(void)room;
	if (iomem < 0)
		return err_sys(e, RESOURCE, "open /proc/iomem, which tells what is memory");
	return hostmem_of(path, &h)
		       ? hostmem_probe(&h, iomem, e)
		       : err_set(e, RESOURCE, "'%s' is no range of the host's memory", path);
}

/* Opened and closed again. */
static int ask_ports(const char *path, uint64_t room, struct err *e)
{
	struct hostports p;

	(void)room;
	if (!hostports_of(path, &p))
		return err_set(e, RESOURCE, "'%s' are no ports of the host", path);
	return hostports_permit(&p, true, e) < 0 ? -1 : hostports_permit(&p, false, e);
}

/* Of a command nothing is known before it runs, of a peer nothing without its supervisor. */
static int ask(uint32_t kind, const char *path, uint64_t room, struct err *e)
{
	static int (*const how[WANT_COUNT])(const char *, uint64_t, struct err *) = {
		[WANT_KVM] = ask_kvm,	    [WANT_IMAGE] = ask_image,
		[WANT_OUTPUT] = ask_output, [WANT_INPUT] = ask_input,
		[WANT_PTY] = ask_link,	    [WANT_SOCKET] = ask_link,
		[WANT_DISK] = ask_disk,	    [WANT_DISK_READ] = ask_disk_read,
		[WANT_PASS] = ask_pass,	    [WANT_PASS_READ] = ask_pass_read,
		[WANT_TAP] = ask_tap,	    [WANT_PCI] = ask_pci,
		[WANT_UIO] = ask_uio,	    [WANT_MEM] = ask_mem,
		[WANT_MEM_READ] = ask_mem,  [WANT_PORTS] = ask_ports,
	};

	return kind < WANT_COUNT && how[kind] ? how[kind](path, room, e) : 0;
}

static int ask_folder(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0 || !is_allowed(path, W_OK | X_OK))
		return err_sys(e, RESOURCE, "write into the folder '%s'", path);
	return S_ISDIR(st.st_mode) ? 0 : err_set(e, RESOURCE, "'%s' is not a folder", path);
}

static bool is_same(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) < 0 || stat(b, &y) < 0)
		return false;
	return S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode)
		       ? x.st_rdev == y.st_rdev
		       : x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const struct conf_probe probe_host = {.want = ask,
				      .folder = ask_folder,
				      .is_same = is_same,
				      .cpu = schedule_probe,
				      .images = rehearsal_load};
