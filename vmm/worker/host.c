/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/disk.h"
#include "base/sealed.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/worker/want.h"

enum { ASKS = 96 };

/* "load (line 4)"; kvm, ram and the black box have no line. */
static const char *asks(const struct want *w, char ret[static ASKS])
{
	if (w->line)
		snprintf(ret, ASKS, "%s (line %u)", w->option, w->line);
	else
		snprintf(ret, ASKS, "%s", w->option);
	return ret;
}

static int open_kvm(const struct want *w, struct err *e)
{
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

static int make_ram(const struct want *w, struct err *e)
{
	int fd = sealed_memory("qvm-ram", w->bytes);
	char size[24];

	if (fd < 0)
		return err_sys(e, RESOURCE, "make the guest's memory of %s bytes",
			       str_bytes(w->bytes, size));
	*w->fd = fd;
	return 0;
}

static int open_image(const struct want *w, struct err *e)
{
	AUTO_FD int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char who[ASKS];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "%s: open image '%s'", asks(w, who), w->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RESOURCE,
			       "%s: '%s' is not a regular file; name the image's file itself",
			       asks(w, who), w->path);
	*w->fd = TAKE_FD(fd);
	return 0;
}

/* Without O_NONBLOCK the open of a FIFO would wait for its other end; afterwards writes may wait. */
static int open_output(const struct want *w, struct err *e)
{
	AUTO_FD int fd = open(
		w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	char who[ASKS];

	if (fd < 0 && errno == ENXIO)
		return err_set(e, RESOURCE,
			       "%s: nobody reads the FIFO '%s'; start its reader first",
			       asks(w, who), w->path);
	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
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

static int open_console(const struct want *w, int std_fd, struct err *e)
{
	char who[ASKS];

	*w->fd = fcntl(std_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*w->fd < 0)
		return err_sys(e, RESOURCE, "%s: use standard %s as the console", asks(w, who),
			       std_fd ? "output" : "input");
	return 0;
}

int host_open(const struct want *w, const struct board *b, struct err *e)
{
	bool is_console = w->path[0] == '-' && !w->path[1];

	switch (w->kind) {
	case WANT_KVM: return open_kvm(w, e);
	case WANT_RAM: return make_ram(w, e);
	case WANT_BLACKBOX:
		return blackbox_create(b->system[0] ? b->system : "qvm-guest", b->n_cpus,
				       b->n_vdevs, w->fd, e);
	case WANT_IMAGE: return open_image(w, e);
	case WANT_OUTPUT: return is_console ? open_console(w, STDOUT_FILENO, e) : open_output(w, e);
	case WANT_INPUT: return is_console ? open_console(w, STDIN_FILENO, e) : open_input(w, e);
	case WANT_DISK: return open_disk(w, true, e);
	case WANT_DISK_READ: return open_disk(w, false, e);
	default: return err_set(e, INTERNAL, "%s wants resource kind %u", w->option, w->kind);
	}
}
