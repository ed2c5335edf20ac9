/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/pass.h"
#include "base/sealed.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/worker/want.h"

enum { ASKS = 96, RETRY_NS = 100000000 };

/* "load (line 4)"; kvm, ram and the black box have no line. */
static const char *asks(const struct want *w, char ret[static ASKS])
{
	if (w->line)
		snprintf(ret, ASKS, "%s (line %u)", w->option, w->line);
	else
		snprintf(ret, ASKS, "%s", w->option);
	return ret;
}

int host_open_kvm(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	*w->fd = open(w->path, O_RDWR | O_CLOEXEC);
	if (*w->fd >= 0)
		return 0;
	if (errno == ENOENT)
		return err_sys(e, RESOURCE,
			       "open '%s' (is the kernel's KVM module loaded, and virtualization "
			       "on in the firmware?)",
			       w->path);
	if (errno == EACCES)
		return err_sys(e, RESOURCE,
			       "open '%s' (are you in the group that owns it? ls -l %s)", w->path,
			       w->path);
	return err_sys(e, RESOURCE, "open '%s'", w->path);
}

int host_open_ram(const struct want *w, const struct board *b, struct err *e)
{
	int fd = sealed_memory("qvm-ram", w->bytes);
	char size[24];

	(void)b;
	if (fd < 0)
		return err_sys(e, RESOURCE, "make the guest's memory of %s",
			       str_bytes(w->bytes, size));
	*w->fd = fd;
	return 0;
}

int host_open_image(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char who[ASKS];
	struct stat st;

	(void)b;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "%s: open image '%s'", asks(w, who), w->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE,
			       "%s: '%s' is not a regular file; name the image's file itself",
			       asks(w, who), w->path);
	*w->fd = TAKE_FD(fd);
	return 0;
}

/* Without O_NONBLOCK the open of a FIFO would wait for its other end, and each write for its reader. */
static int open_output(const struct want *w, struct err *e)
{
	AUTO_FD int fd = open(
		w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	char who[ASKS];

	if (fd < 0 && errno == ENXIO)
		return err_set(e, RESOURCE,
			       "%s: nobody reads the FIFO '%s'; start its reader first",
			       asks(w, who), w->path);
	if (fd < 0)
		return err_sys(e, RESOURCE, "%s: open '%s' to write", asks(w, who), w->path);
	*w->fd = TAKE_FD(fd);
	return 0;
}

static int open_input(const struct want *w, struct err *e)
{
	char who[ASKS];

	*w->fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*w->fd < 0)
		return err_sys(e, RESOURCE, "%s: open '%s' to read", asks(w, who), w->path);
	return 0;
}

static int open_disk(const struct want *w, bool is_writer, struct err *e)
{
	AUTO_FD int fd = open(w->path, (is_writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	char who[ASKS];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "%s: open disk '%s'%s", asks(w, who), w->path,
			       is_writer ? " to read and write" : "");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, RESOURCE, "%s: '%s' is neither a file nor a block device",
			       asks(w, who), w->path);
	if (disk_lock(fd, w->path, is_writer, e) < 0)
		return -1;
	*w->fd = TAKE_FD(fd);
	return 0;
}

static int open_pass(const struct want *w, bool is_writer, struct err *e)
{
	AUTO_FD int fd =
		open(w->path, (is_writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char who[ASKS];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "%s: open '%s' to map it into the guest", asks(w, who),
			       w->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE,
			       "%s: '%s' is not a regular file; only such can be passed",
			       asks(w, who), w->path);
	if (pass_claim(fd, w->path, is_writer, e) < 0)
		return -1;
	*w->fd = TAKE_FD(fd);
	return 0;
}

/* A pipe can be made non-blocking without doing that to whoever else writes to it; -1 = not so here. */
static int own_description(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -1;
	return open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_console(const struct want *w, int std_fd, struct err *e)
{
	char who[ASKS];

	*w->fd = std_fd == STDOUT_FILENO ? own_description() : -1;
	if (*w->fd < 0)
		*w->fd = fcntl(std_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*w->fd < 0)
		return err_sys(e, RESOURCE, "%s: use standard %s as the console", asks(w, who),
			       std_fd ? "output" : "input");
	return 0;
}

static bool is_console(const struct want *w)
{
	return !strcmp(w->path, "-");
}

int host_open_output(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return is_console(w) ? open_console(w, STDOUT_FILENO, e) : open_output(w, e);
}

int host_open_input(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return is_console(w) ? open_console(w, STDIN_FILENO, e) : open_input(w, e);
}

int host_open_disk(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return open_disk(w, true, e);
}

int host_open_disk_read(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return open_disk(w, false, e);
}

int host_open_pass(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return open_pass(w, true, e);
}

int host_open_pass_read(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return open_pass(w, false, e);
}

int host_open_blackbox(const struct want *w, const struct board *b, struct err *e)
{
	return blackbox_create(b->system[0] ? b->system : "qvm-guest", b->n_cpus, b->n_vdevs, w->fd,
			       e);
}

int host_open_dump(const struct want *w, const struct board *b, struct err *e)
{
	char who[ASKS];

	(void)b;
	*w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*w->fd < 0)
		return err_sys(e, RESOURCE, "%s: open the folder '%s'", asks(w, who), w->path);
	return 0;
}

int host_folder(const char *path, const char **ret_name, int *ret_fd, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[MESSAGE_PATH];

	str_copy(folder, sizeof folder, slash ? path : ".");
	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name)
		return err_set(e, RESOURCE, "'%s' names a folder, not a file in it", path);
	*ret_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "open the folder of '%s'", path) : 0;
}

int host_open(const struct want *w, const struct board *b, struct err *e)
{
	static int (*const how[WANT_COUNT])(const struct want *, const struct board *,
					    struct err *) = {
#define WANT(id, lower, name, warm, what) host_open_##lower,
#include "schemas/wants.def"
#undef WANT
	};

	const uint64_t begun_ms = clock_mono_ms();
	bool has_said = false;

	while (how[w->kind](w, b, e) < 0) {
		if (w->delayed_s != UINT32_MAX &&
		    clock_mono_ms() - begun_ms >= w->delayed_s * 1000ull)
			return -1;
		if (!has_said)
			log_info(NULL, "%s (line %u): waiting for '%s', as `delayed` says",
				 w->option, w->line, w->path);
		has_said = true;
		nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
	}
	return 0;
}
