/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uio.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/pass.h"

enum { PATH = 128, LINK = 256, FIRST_OTHER = 3 };

/* Numbers are only known as they would be written: a path holds nothing else. */
static int number_of(const char *path, const char *written, unsigned n)
{
	return n <= UIO_MOST && !strcmp(path, written) ? (int)n : -1;
}

int uio_of(const char *path)
{
	char written[PATH];
	unsigned n;

	if (sscanf(path, UIO_WANT "%u", &n) != 1)
		return -1;
	snprintf(written, sizeof written, UIO_WANT "%u", n);
	return number_of(path, written, n);
}

int uio_of_bar(const char *path, unsigned *ret_bar)
{
	char written[PATH];
	unsigned n, bar;

	if (sscanf(path, UIO_BAR_WANT, &n, &bar) != 2 || bar >= UIO_BARS)
		return -1;
	snprintf(written, sizeof written, UIO_BAR_WANT, n, bar);
	if (number_of(path, written, n) < 0)
		return -1;
	*ret_bar = bar;
	return (int)n;
}

int uio_of_arm(const char *path)
{
	char written[PATH];
	unsigned n;

	if (sscanf(path, UIO_WANT "%u", &n) != 1)
		return -1;
	snprintf(written, sizeof written, UIO_ARM_WANT, n);
	return number_of(path, written, n);
}

/* The driver's name, by the last part of where its link leads; "" = there is none. */
static void driver_of(const char *sys, unsigned n, char ret[static LINK])
{
	char path[PATH];
	ssize_t len;
	char *slash;

	snprintf(path, sizeof path, "%s/class/uio/uio%u/device/driver", sys, n);
	len = readlink(path, ret, LINK - 1);
	ret[len < 0 ? 0 : len] = '\0';
	slash = strrchr(ret, '/');
	if (slash)
		memmove(ret, slash + 1, strlen(slash));
}

int uio_probe(const char *sys, unsigned n, struct err *e)
{
	char path[PATH];

	snprintf(path, sizeof path, "%s/class/uio/uio%u", sys, n);
	if (access(path, F_OK) == 0)
		return 0;
	return err_set(
		e, RESOURCE,
		"this host has no UIO device 'uio%u': `ls /sys/class/uio` shows those that it "
		"has; bind the device to its UIO driver, or as README says",
		n);
}

int uio_open(unsigned n, int *ret_fd, struct err *e)
{
	char path[PATH];

	if (uio_probe("/sys", n, e) < 0)
		return -1;
	snprintf(path, sizeof path, UIO_WANT "%u", n);
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open the UIO device '%s'", path);
	if (pass_claim(fd, path, true, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* systemd's ProtectKernelTunables= takes all of /sys away, but for what ReadWritePaths= names. */
static int open_function(const char *path, int *ret_fd, struct err *e)
{
	*ret_fd = open(path, O_RDWR | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	if (errno == EROFS)
		return err_set(e, RESOURCE,
			       "'%s' is read-only here: it takes a /sys that can be written (of a "
			       "unit of systemd, by ReadWritePaths=/sys/devices)",
			       path);
	return err_sys(e, RESOURCE, "open '%s'", path);
}

int uio_open_bar(unsigned n, unsigned bar, int *ret_fd, struct err *e)
{
	char path[PATH];

	snprintf(path, sizeof path, UIO_BAR_WANT, n, bar);
	AUTO_FD int fd = -1;
	if (open_function(path, &fd, e) < 0)
		return e->os_errno != ENOENT
			       ? -1
			       : err_set(e, RESOURCE,
					 "'uio%u' is no PCI function with a BAR %u: `ls "
					 "/sys/class/uio/uio%u/device/` shows what it has; maps of "
					 "its driver are mapM",
					 n, bar, n);
	if (pass_claim(fd, path, true, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- uio_pci_generic masks the function by INTX_DISABLE, and leaves the rest to whoever reads --- */

static void set_mask(int config, bool is_masked)
{
	uint16_t command;

	/* As a whole: qemu's devices overlook a write of the upper byte alone. */
	if (pread(config, &command, sizeof command, PCI_COMMAND) != sizeof command)
		return;
	command = (uint16_t)(command & ~PCI_COMMAND_INTX_DISABLE);
	command |= is_masked ? PCI_COMMAND_INTX_DISABLE : 0;
	(void)!pwrite(config, &command, sizeof command, PCI_COMMAND);
}

static __attribute__((noreturn)) void arm_for(int orders, int config)
{
	uint32_t is_on;

	while (read(orders, &is_on, sizeof is_on) == sizeof is_on)
		set_mask(config, !is_on);
	set_mask(config, true);
	_exit(0);
}

/* By way of a child that ends at once, so that nobody has to reap the other. */
static int spawn_armer(int orders, int config)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		if (dup3(orders, FIRST_OTHER + 2, O_CLOEXEC) < 0 ||
		    dup3(config, FIRST_OTHER + 3, O_CLOEXEC) < 0 ||
		    close_range(FIRST_OTHER, FIRST_OTHER + 1, 0) < 0 ||
		    close_range(FIRST_OTHER + 4, ~0u, 0) < 0)
			_exit(1);
		pid = fork();
		if (pid == 0)
			arm_for(FIRST_OTHER + 2, FIRST_OTHER + 3);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 || status ? -1 : 0;
}

static int open_generic_arm(unsigned n, int *ret_fd, struct err *e)
{
	char path[PATH];
	int ends[2];

	snprintf(path, sizeof path, "/sys/class/uio/uio%u/device/config", n);
	AUTO_FD int near = -1;
	if (open_function(path, &near, e) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe to what arms the interrupt of 'uio%u'", n);
	AUTO_FD int orders = ends[0];
	AUTO_FD int arm = ends[1];
	/* Out of the way of the numbers that the child gives them. */
	AUTO_FD int config = fcntl(near, F_DUPFD_CLOEXEC, 16);
	AUTO_FD int far = fcntl(orders, F_DUPFD_CLOEXEC, 16);
	set_mask(config, true);
	if (config < 0 || far < 0 || spawn_armer(far, config) < 0 ||
	    fcntl(arm, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, RESOURCE, "start what arms the interrupt of 'uio%u'", n);
	*ret_fd = TAKE_FD(arm);
	return 0;
}

int uio_open_arm(unsigned n, int *ret_fd, struct err *e)
{
	static const uint32_t off = 0;
	char path[PATH], driver[LINK];

	driver_of("/sys", n, driver);
	if (!strcmp(driver, "uio_pci_generic"))
		return open_generic_arm(n, ret_fd, e);
	snprintf(path, sizeof path, UIO_WANT "%u", n);
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open the UIO device '%s'", path);
	if (write(fd, &off, sizeof off) < 0 && errno != ENOSYS)
		return errno == EIO ? err_set(e, RESOURCE,
					      "'uio%u' has no interrupt: remove its `pass intr`", n)
				    : err_sys(e, RESOURCE, "mask the interrupt of '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
