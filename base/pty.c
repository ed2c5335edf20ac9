/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pty.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"

#define SLAVES "/dev/pts/"

int pty_name(int fd, char ret[static PTY_NAME])
{
	unsigned number;

	if (ioctl(fd, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(ret, PTY_NAME, SLAVES "%u", number);
	return 0;
}

int pty_open(int *ret_fd, struct err *e)
{
	AUTO_FD int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	char slave[PTY_NAME];
	struct termios raw;
	int unlocked = 0;

	if (fd < 0 || ioctl(fd, TIOCSPTLCK, &unlocked) < 0 || pty_name(fd, slave) < 0 ||
	    tcgetattr(fd, &raw) < 0)
		return err_sys(e, RESOURCE, "make a pseudo terminal by '/dev/ptmx'");
	cfmakeraw(&raw);
	/* Before the first open of the slave poll() knows nothing of its absence. */
	AUTO_FD int once = open(slave, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (once < 0 || tcsetattr(fd, TCSANOW, &raw) < 0)
		return err_sys(e, RESOURCE, "make the pseudo terminal '%s' raw", slave);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pty_link(int fd, int folder_fd, const char *name, const char *path, struct err *e)
{
	char slave[PTY_NAME], there[PTY_NAME];
	ssize_t n;

	if (pty_name(fd, slave) < 0)
		return err_sys(e, RESOURCE, "ask for the name of a pseudo terminal");
	n = readlinkat(folder_fd, name, there, sizeof there);
	if (n > (ssize_t)strlen(SLAVES) && !strncmp(there, SLAVES, strlen(SLAVES)))
		unlinkat(folder_fd, name, 0);
	if (symlinkat(slave, folder_fd, name) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(
			e, RESOURCE,
			"'%s' is there already and is no link to a pseudo terminal: remove it "
			"or name another link",
			path);
	return err_sys(e, RESOURCE, "make the link '%s' to '%s'", path, slave);
}
