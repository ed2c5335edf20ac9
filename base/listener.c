/* SPDX-License-Identifier: Apache-2.0 */
#include "base/listener.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/auto.h"

enum { BACKLOG = 4, MODE = 0660 };

static int stream_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* The kernel answers at once: refused, or accepted into (or kept out of) somebody's backlog. */
static bool is_stale(const struct sockaddr_un *at)
{
	AUTO_FD int fd = stream_socket();

	return fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) < 0 &&
	       errno == ECONNREFUSED;
}

static int bind_at(int fd, int folder_fd, const char *name, const char *path, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int rc;

	/* By the folder's descriptor: a path of any length fits, and nothing is resolved twice. */
	if ((size_t)snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", folder_fd,
			     name) >= sizeof at.sun_path)
		return err_set(e, RESOURCE, "the name of the socket '%s' is too long: 80 bytes do",
			       path);
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return err_set(e, RESOURCE,
				       "'%s' is there already and is no socket: remove it or name "
				       "another",
				       path);
		if (!is_stale(&at))
			return err_set(e, RESOURCE,
				       "the socket '%s' is in use: end who serves it, or name "
				       "another",
				       path);
		unlinkat(folder_fd, name, 0);
	}
	/* Born with its mode: a later chmod by name could be led elsewhere by who owns the folder. */
	mask = umask(~(mode_t)MODE & 0777);
	rc = bind(fd, (struct sockaddr *)&at, sizeof at);
	umask(mask);
	if (rc < 0)
		return err_sys(e, RESOURCE, "make the socket '%s'", path);
	return 0;
}

int listener_open(int folder_fd, const char *name, const char *path, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = stream_socket();

	if (fd < 0)
		return err_sys(e, RESOURCE, "make a socket for '%s'", path);
	if (bind_at(fd, folder_fd, name, path, e) < 0)
		return -1;
	if (listen(fd, BACKLOG) < 0)
		return err_sys(e, RESOURCE, "listen at '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
