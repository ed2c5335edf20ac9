/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of a virtio-vsock: its clients, the sockets it is asked for, their bytes. */
#include "vmm/virtio/vsock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dialer.h"
#include "base/log.h"
#include "vmm/machine/machine.h"

enum { FEEDS = 4, ACCEPTS = 8 };

struct connection *vsock_find(struct vsock *s, uint32_t guest_port, uint32_t host_port)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->state > CONNECTION_GREETS && c->guest_port == guest_port &&
		    c->host_port == host_port)
			return c;
	}
	return NULL;
}

struct connection *vsock_add(struct vsock *s, enum connection_state state)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->state != CONNECTION_FREE)
			continue;
		c->state = state;
		c->id = ++s->last_id;
		return c;
	}
	return NULL;
}

void vsock_watch(struct vdev *d, struct connection *c)
{
	uint32_t events = 0;
	struct err e;

	if (c->fd < 0)
		return;
	if (c->state == CONNECTION_GREETS)
		events = EPOLLIN;
	if (c->state == CONNECTION_OPEN && !c->host_is_done && !c->waits_for_buf &&
	    connection_credit(c))
		events |= EPOLLIN;
	if (c->state == CONNECTION_OPEN && c->n_held)
		events |= EPOLLOUT;
	if (iothread_watch(&((struct vsock *)d->state)->thread, c->fd, events, &e) < 0)
		vdev_log_err(d, &e);
}

static void forget_fd(struct vdev *d, struct connection *c)
{
	if (c->fd < 0)
		return;
	iothread_watch(&((struct vsock *)d->state)->thread, c->fd, 0, NULL);
	close(c->fd);
	c->fd = -1;
}

void vsock_drop(struct vdev *d, struct connection *c)
{
	forget_fd(d, c);
	connection_clear(c);
}

/* The connection ends here; the guest is still to hear of it. */
void vsock_end(struct vdev *d, struct connection *c, uint32_t owed)
{
	forget_fd(d, c);
	c->state = CONNECTION_CLOSES;
	c->owed = owed;
}

/* --- from the host --- */

/* The host says no more: its client has gone, or only closed its half. */
static void host_ends(struct vdev *d, struct connection *c, bool has_gone)
{
	if (has_gone) {
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_SHUTDOWN));
		return;
	}
	c->host_is_done = true;
	c->owed |= VSOCK_OWE(VIRTIO_VSOCK_OP_SHUTDOWN);
	vsock_watch(d, c);
}

/* The guest has said its last and all of it has gone on. */
void vsock_settle(struct vdev *d, struct connection *c)
{
	if (connection_is_drained(c) && c->guest_is_deaf)
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
	else if (connection_is_drained(c))
		shutdown(c->fd, SHUT_WR);
}

static void serve_open(struct vdev *d, struct connection *c, uint32_t events)
{
	int more = 1;

	if (c->n_held && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
		if (connection_flush(c) < 0) {
			vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
			return;
		}
		if (connection_owes_credit(c))
			c->owed |= VSOCK_OWE(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		vsock_settle(d, c);
		if (c->state != CONNECTION_OPEN)
			return;
	}
	if (!c->host_is_done && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		for (unsigned i = 0; i < FEEDS && more == 1; i++)
			more = vsock_feed(d, c);
	if (more < 0)
		host_ends(d, c, events & (EPOLLHUP | EPOLLERR));
	else
		vsock_watch(d, c);
}

static void serve_greeting(struct vdev *d, struct connection *c)
{
	struct vsock *s = d->state;
	int got = 0;

	while (got == 0) {
		ssize_t n = read(c->fd, &c->line[c->n_line], 1);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		got = greeting_read(c->line, ++c->n_line, &c->guest_port);
	}
	if (got != 1 || !s->is_awake) {
		vsock_drop(d, c);
		return;
	}
	do
		c->host_port = s->next_port++ | VSOCK_FIRST_PORT;
	while (vsock_find(s, c->guest_port, c->host_port));
	c->state = CONNECTION_ASKED;
	c->owed = VSOCK_OWE(VIRTIO_VSOCK_OP_REQUEST);
	vsock_watch(d, c);
}

/* One that has waited longest makes room for the next. */
static struct connection *make_room(struct vdev *d)
{
	struct connection *oldest = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct connection *c = &((struct vsock *)d->state)->connection[i];

		if (c->state != CONNECTION_GREETS)
			continue;
		n++;
		if (!oldest || c->id < oldest->id)
			oldest = c;
	}
	if (n >= VSOCK_GREETINGS)
		vsock_drop(d, oldest);
	return vsock_add(d->state, CONNECTION_GREETS);
}

void vsock_welcome(struct vdev *d, struct connection *c)
{
	char line[GREETING_MOST];
	int n = snprintf(line, sizeof line, "OK %u\n", c->host_port);

	c->state = CONNECTION_OPEN;
	/* The first bytes of a socket: they fit, or nobody is there. */
	if (write(c->fd, line, (size_t)n) != n)
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
	else
		vsock_watch(d, c);
}

static void serve_listener(struct vdev *d, int fd)
{
	for (unsigned i = 0; i < ACCEPTS; i++) {
		AUTO_FD int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct connection *c = client >= 0 ? make_room(d) : NULL;

		if (client < 0)
			return;
		if (!c) {
			machine_counters(d->machine, d)->drops++;
			continue;
		}
		c->fd = TAKE_FD(client);
		vsock_watch(d, c);
	}
}

static void serve_dialer(struct vdev *d, int link)
{
	struct vsock *s = d->state;
	struct dialer_answer a = {0};
	int got, fd;

	while ((got = dialer_hear(link, &a, &fd)) == 1) {
		AUTO_FD int taken = fd;

		for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
			struct connection *c = &s->connection[i];

			if (c->state != CONNECTION_DIALS || c->id != a.id)
				continue;
			c->fd = TAKE_FD(taken);
			c->state = c->fd >= 0 ? CONNECTION_OPEN : CONNECTION_CLOSES;
			c->owed = c->fd >= 0 ? VSOCK_OWE(VIRTIO_VSOCK_OP_RESPONSE)
					     : VSOCK_OWE(VIRTIO_VSOCK_OP_RST);
			vsock_watch(d, c);
		}
	}
	if (got == 0)
		return;
	s->has_dialer = false;
	iothread_watch(&s->thread, link, 0, NULL);
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connection[i].state == CONNECTION_DIALS)
			vsock_end(d, &s->connection[i], VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
}

void vsock_ready(struct vdev *d, int fd, uint32_t events)
{
	struct vsock *s = d->state;

	if (fd == d->want[VSOCK_LISTENER].fd)
		serve_listener(d, fd);
	else if (fd == d->want[VSOCK_DIALER].fd)
		serve_dialer(d, fd);
	else
		for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
			struct connection *c = &s->connection[i];

			if (c->state == CONNECTION_FREE || c->fd != fd)
				continue;
			if (c->state == CONNECTION_GREETS)
				serve_greeting(d, c);
			else if (c->state == CONNECTION_OPEN)
				serve_open(d, c, events);
			break;
		}
	vsock_pump(d);
}
