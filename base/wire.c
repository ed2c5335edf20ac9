/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr hdr;
	char space[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
};

int wire_pair(int ret_fd[static 2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fd) < 0)
		return err_sys(e, INTERNAL, "make a link between two processes");
	return 0;
}

int wire_send(int link, const struct wire_table *t, unsigned type, uint64_t request,
	      const void *body, const int *fd, unsigned n_fds, struct err *e)
{
	const struct wire_rule *r = &t->rule[type < t->n ? type : 0];
	struct wire_hdr h = {WIRE_VERSION, (uint16_t)type, r->bytes, request};
	struct iovec iov[2] = {{&h, sizeof h}, {(void *)body, r->bytes}};
	union control c = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = r->bytes ? 2 : 1};

	if (type == 0 || type >= t->n || n_fds != r->fds || n_fds > WIRE_FDS)
		return err_set(e, INTERNAL, "message %u with %u fds is not in the table", type,
			       n_fds);
	if (n_fds) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c.hdr.cmsg_level = SOL_SOCKET;
		c.hdr.cmsg_type = SCM_RIGHTS;
		c.hdr.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(&c.hdr), fd, sizeof(int) * n_fds);
	}
	while (sendmsg(link, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			return err_set(e, PROTOCOL, "send %s: the other end does not read",
				       r->name);
		return err_sys(e, WORKER, "send %s", r->name);
	}
	return 0;
}

int wire_check(const struct wire_table *t, enum wire_dir from, const struct wire_hdr *h,
	       uint64_t n_bytes, unsigned n_fds, struct err *e)
{
	const struct wire_rule *r;

	if (n_bytes < sizeof *h || h->version != WIRE_VERSION)
		return err_set(e, PROTOCOL, "a short or foreign message of %llu bytes",
			       (unsigned long long)n_bytes);
	if (h->type == 0 || h->type >= t->n || t->rule[h->type].dir != from)
		return err_set(e, PROTOCOL, "message type %u is not this peer's to send", h->type);
	r = &t->rule[h->type];
	if (h->bytes != r->bytes || n_bytes != sizeof *h + r->bytes)
		return err_set(e, PROTOCOL, "%s has %llu bytes, not %u", r->name,
			       (unsigned long long)(n_bytes - sizeof *h), r->bytes);
	if (n_fds != r->fds)
		return err_set(e, PROTOCOL, "%s carries %u file descriptors, not %u", r->name,
			       n_fds, r->fds);
	return 0;
}

static void take_control(struct msghdr *m, struct wire_msg *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (ret->n_fds < WIRE_FDS)
				ret->fd[ret->n_fds++] = fd;
			else
				close(fd);
		}
	}
}

int wire_recv(int link, const struct wire_table *t, enum wire_dir from, struct wire_msg *ret,
	      struct err *e)
{
	struct iovec iov[2] = {{&ret->hdr, sizeof ret->hdr}, {ret->body, sizeof ret->body}};
	union control c;
	struct msghdr m = {
		.msg_iov = iov, .msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof c};
	ssize_t n;

	ret->n_fds = 0;
	do
		n = recvmsg(link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_sys(e, WORKER, "receive");
	/* An empty datagram looks like the end of file, but may bring fds. */
	take_control(&m, ret);
	if (n == 0) {
		wire_close_fds(ret);
		return err_set(e, WORKER, "the other end has closed the link");
	}
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		err_set(e, PROTOCOL, "a message over %d bytes or %d file descriptors", WIRE_BODY,
			WIRE_FDS);
	else if (wire_check(t, from, &ret->hdr, (uint64_t)n, ret->n_fds, e) == 0)
		return 1;
	wire_close_fds(ret);
	return -1;
}

int wire_take_fd(struct wire_msg *m, unsigned i)
{
	int fd = m->fd[i];

	m->fd[i] = -1;
	return fd;
}

void wire_close_fds(struct wire_msg *m)
{
	for (unsigned i = 0; i < m->n_fds; i++)
		if (m->fd[i] >= 0)
			close(m->fd[i]);
	m->n_fds = 0;
}
