/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_virtio_vsock - a hostile driver against a vsock whose host connects every guest that asks, and
 * whose clients have come already: two that said whom they want, one that says nothing.
 */
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/dialer.h"
#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-vsock";

enum { CLIENTS = 3, ANSWERS = 16 };

static struct {
	int client[CLIENTS], other[ANSWERS], link;
} host;

static void close_all(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		close(host.client[i]);
	for (unsigned i = 0; i < ANSWERS; i++)
		close(host.other[i]);
	close(host.link);
}

/* Nobody serves the link in step with the driver: the answers to its first requests wait in it. */
static void answer(void)
{
	for (uint32_t i = 0; i < ANSWERS; i++) {
		struct dialer_answer a = {.id = i, .is_there = 1};
		union {
			struct cmsghdr header;
			char room[CMSG_SPACE(sizeof(int))];
		} control = {0};
		struct iovec part = {&a, sizeof a};
		struct msghdr m = {.msg_iov = &part,
				   .msg_iovlen = 1,
				   .msg_control = &control,
				   .msg_controllen = sizeof control};
		int fd[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
			abort();
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fd, sizeof(int));
		if (sendmsg(host.link, &m, MSG_DONTWAIT) < 0)
			abort();
		close(fd[0]);
		host.other[i] = fd[1];
		if (write(fd[1], "some bytes of the host", 22) < 0)
			abort();
	}
}

static int listener(void)
{
	static const char *const words[CLIENTS] = {"CONNECT 5\nmore", "CONNECT 6\n", ""};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t bytes = sizeof at;

	/* The kernel chooses an abstract name. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at.sun_family) < 0 ||
	    listen(fd, CLIENTS) < 0 || getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
		abort();
	for (unsigned i = 0; i < CLIENTS; i++) {
		host.client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(host.client[i], (struct sockaddr *)&at, bytes) < 0 ||
		    write(host.client[i], words[i], strlen(words[i])) < 0)
			abort();
	}
	return fd;
}

void driver_prepare(struct vdev *d)
{
	static bool is_used;
	struct err e;
	int link[2];

	signal(SIGPIPE, SIG_IGN);
	if (is_used)
		close_all();
	is_used = true;
	if (d->class->options[0].set(d, "/tmp/vsock", &e) < 0 || dialer_pair(link, &e) < 0)
		abort();
	d->want[0].fd = listener();
	d->want[1].fd = link[1];
	host.link = link[0];
	answer();
}
