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

static int send_answer(int link, const struct dialer_answer *a, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof fd)];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)a, sizeof *a};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control;
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	return sendmsg(link, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof *a ? 0 : -1;
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
	return send_answer(link, &a, fd) < 0 ? -1 : 1;
}

int dialer_ask(int link, const struct dialer_request *r)
{
	return write(link, r, sizeof *r) == sizeof *r ? 0 : -1;
}

int dialer_hear(int link, struct dialer_answer *ret, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {ret, sizeof *ret};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof control};
	ssize_t n = recvmsg(link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c;

	*ret_fd = -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n != sizeof *ret)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
	return 1;
}
