/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dialer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/packet.h"

int dialer_pair(int ret[static 2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret) < 0)
		return err_sys(e, RESOURCE, "make a link for connections of a guest");
	return 0;
}

/* A connection to the very node that was looked at, or -1. */
static int dial(int folder_fd, const char *prefix, uint32_t port)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[NAME_MAX + 16];
	struct stat st;

	snprintf(name, sizeof name, "%s_%u", prefix, port);
	AUTO_FD int node = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (node < 0 || fstat(node, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -1;
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d", node);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A full backlog refuses, it does not wait. */
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return -1;
	return TAKE_FD(fd);
}

int dialer_serve(int link, int folder_fd, const char *prefix)
{
	struct dialer_request r;
	struct dialer_answer a;
	ssize_t n = recv(link, &r, sizeof r, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n != sizeof r)
		return -1;
	AUTO_FD int fd = dial(folder_fd, prefix, r.port);
	a = (struct dialer_answer){.id = r.id, .is_there = fd >= 0};
	/* Who does not take its answers gets no more. */
	return packet_send(link, &a, sizeof a, fd) < 0 ? -1 : 1;
}

int dialer_ask(int link, const struct dialer_request *r)
{
	return write(link, r, sizeof *r) == sizeof *r ? 0 : -1;
}

int dialer_hear(int link, struct dialer_answer *ret, int *ret_fd)
{
	return packet_hear(link, ret, sizeof *ret, ret_fd);
}
