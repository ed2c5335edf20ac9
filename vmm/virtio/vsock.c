/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock - a guest's AF_VSOCK sockets as unix sockets of the host (virtio 1.2, 5.10), stream
 * sockets. With `hostdev PATH`:
 *
 *	guest connects to CID 2, port P		-> the host's socket PATH_P
 *	host connects to PATH, writes CONNECT P	-> the guest's port P; the answer is OK and a number
 *
 * A connection that cannot be is reset. The packets of the guest and the clients of the host are both
 * hostile: connections, those among them that have not said whom they want, and bytes on the way are
 * bounded. What is owed to a guest without buffers is a bit of its connection.
 */
#include "vmm/virtio/vsock.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dialer.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"

enum { RX = 0, TX = 1, QUEUES = 3, QUEUE_MOST = 128, TX_BATCH = 64 };
enum { CID_HOST = 2, CID_LEAST = 3 };

_Static_assert(sizeof(struct virtio_vsock_hdr) == 44, "shared with the guest");

/* --- packets to the guest --- */

/* False when there is no buffer for it; the guest will say when there is. */
static bool send_packet(struct vdev *d, const struct virtio_vsock_hdr *h)
{
	struct vsock *s = d->state;

	if (!virtio_take(&s->device.virtio, RX, &s->chain))
		return false;
	if (s->chain.in_bytes < sizeof *h) {
		virtio_break(&s->device.virtio, "a buffer too small for a header");
		return false;
	}
	virtq_write(&s->chain, 0, h, sizeof *h);
	virtio_give(&s->device.virtio, RX, &s->chain, sizeof *h);
	return true;
}

static struct virtio_vsock_hdr header(const struct vsock *s, uint32_t guest_port,
				      uint32_t host_port, uint16_t op)
{
	return (struct virtio_vsock_hdr){.src_cid = CID_HOST,
					 .dst_cid = s->cid,
					 .src_port = host_port,
					 .dst_port = guest_port,
					 .type = VIRTIO_VSOCK_TYPE_STREAM,
					 .op = op};
}

static struct virtio_vsock_hdr header_of(const struct vsock *s, const struct connection *c,
					 uint16_t op)
{
	struct virtio_vsock_hdr h = header(s, c->guest_port, c->host_port, op);

	h.buf_alloc = CONNECTION_ROOM;
	h.fwd_cnt = c->passed;
	return h;
}

/* What is owed on a connection, in an order that makes sense. False without buffers. */
static bool pay(struct vdev *d, struct connection *c)
{
	static const uint16_t order[] = {VIRTIO_VSOCK_OP_REQUEST, VIRTIO_VSOCK_OP_RESPONSE,
					 VIRTIO_VSOCK_OP_CREDIT_UPDATE, VIRTIO_VSOCK_OP_SHUTDOWN,
					 VIRTIO_VSOCK_OP_RST};

	for (size_t i = 0; i < NELEMS(order) && c->owed; i++) {
		struct virtio_vsock_hdr h = header_of(d->state, c, order[i]);

		if (!(c->owed & VSOCK_OWE(order[i])))
			continue;
		if (order[i] == VIRTIO_VSOCK_OP_SHUTDOWN)
			h.flags = VIRTIO_VSOCK_SHUTDOWN_SEND |
				  (c->state == CONNECTION_CLOSES ? VIRTIO_VSOCK_SHUTDOWN_RCV : 0);
		if (!send_packet(d, &h))
			return false;
		c->owed &= ~VSOCK_OWE(order[i]);
		c->told = c->passed;
		if (order[i] == VIRTIO_VSOCK_OP_RST)
			vsock_drop(d, c);
	}
	return true;
}

/* One packet of bytes. 1; 0 when there are none now, or no buffer; -1 when there will be none. */
int vsock_feed(struct vdev *d, struct connection *c)
{
	struct vsock *s = d->state;
	struct virtio_vsock_hdr h = header_of(s, c, VIRTIO_VSOCK_OP_RW);
	size_t room = connection_credit(c);
	ssize_t n;

	if (room == 0)
		return 0;
	/* No bytes before the answer that they follow. */
	c->waits_for_buf =
		(c->owed && !pay(d, c)) || !virtio_take(&s->device.virtio, RX, &s->chain);
	if (c->waits_for_buf)
		return 0;
	if (s->chain.in_bytes <= sizeof h) {
		virtio_break(&s->device.virtio, "a buffer too small for a header");
		return 0;
	}
	if (room > s->chain.in_bytes - sizeof h)
		room = s->chain.in_bytes - sizeof h;
	n = read(c->fd, s->bytes, room < sizeof s->bytes ? room : sizeof s->bytes);
	if (n <= 0) {
		virtio_untake(&s->device.virtio, RX, 1);
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	h.len = (uint32_t)n;
	virtq_write(&s->chain, 0, &h, sizeof h);
	virtq_write(&s->chain, sizeof h, s->bytes, (size_t)n);
	virtio_give(&s->device.virtio, RX, &s->chain, sizeof h + (size_t)n);
	c->sent += (uint32_t)n;
	c->told = c->passed;
	machine_counters(d->machine, d)->bytes_in += (size_t)n;
	return 1;
}

/* Everything that has waited for buffers. */
void vsock_pump(struct vdev *d)
{
	struct vsock *s = d->state;

	for (; s->n_resets; s->n_resets--) {
		const struct vsock_ports *p = &s->reset[s->n_resets - 1];
		struct virtio_vsock_hdr h = header(s, p->guest, p->host, VIRTIO_VSOCK_OP_RST);

		if (!send_packet(d, &h))
			return;
	}
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connection[i].owed && !pay(d, &s->connection[i]))
			return;
}

/* --- packets from the guest --- */

static void owe_reset(struct vdev *d, const struct virtio_vsock_hdr *h)
{
	struct vsock *s = d->state;

	/* Who asks for more than it has buffers for gets no more. */
	if (h->op == VIRTIO_VSOCK_OP_RST)
		return;
	if (s->n_resets == VSOCK_RESETS)
		machine_counters(d->machine, d)->drops++;
	else
		s->reset[s->n_resets++] = (struct vsock_ports){h->src_port, h->dst_port};
}

static void take_request(struct vdev *d, const struct virtio_vsock_hdr *h)
{
	struct vsock *s = d->state;
	struct connection *c = s->has_dialer ? vsock_add(s, CONNECTION_DIALS) : NULL;
	struct dialer_request r = {.port = h->dst_port};

	if (!c) {
		owe_reset(d, h);
		return;
	}
	c->guest_port = h->src_port;
	c->host_port = h->dst_port;
	c->guest_room = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	r.id = c->id;
	if (dialer_ask(d->want[VSOCK_DIALER].fd, &r) < 0)
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
}

/* s->chain has h->len bytes behind the header. */
static void take_bytes(struct vdev *d, struct connection *c, const struct virtio_vsock_hdr *h)
{
	struct vsock *s = d->state;
	size_t n = virtq_read(&s->chain, sizeof *h, s->bytes, h->len);

	/* 5.10.6.3.1: never more than it was told there is room for. */
	if (c->state != CONNECTION_OPEN || c->guest_is_done || n != h->len ||
	    n > CONNECTION_ROOM - (c->got - c->passed) || connection_take(c, s->bytes, n) < 0) {
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
		return;
	}
	machine_counters(d->machine, d)->bytes_out += n;
	if (connection_owes_credit(c))
		c->owed |= VSOCK_OWE(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
}

static void take_shutdown(struct vdev *d, struct connection *c, uint32_t flags)
{
	if (c->state != CONNECTION_OPEN) {
		vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST));
		return;
	}
	c->guest_is_done = c->guest_is_done || (flags & VIRTIO_VSOCK_SHUTDOWN_SEND);
	if (flags & VIRTIO_VSOCK_SHUTDOWN_RCV)
		c->guest_is_deaf = c->host_is_done = true;
	vsock_settle(d, c);
}

static void take_known(struct vdev *d, struct connection *c, const struct virtio_vsock_hdr *h)
{
	c->guest_room = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RST: vsock_drop(d, c); return;
	case VIRTIO_VSOCK_OP_SHUTDOWN: take_shutdown(d, c, h->flags); break;
	case VIRTIO_VSOCK_OP_RW: take_bytes(d, c, h); break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE: break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		if (c->state == CONNECTION_OPEN)
			c->owed |= VSOCK_OWE(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		break;
	case VIRTIO_VSOCK_OP_RESPONSE:
		if (c->state == CONNECTION_ASKED && !c->owed) {
			vsock_welcome(d, c);
			break;
		}
		__attribute__((fallthrough));
	default: vsock_end(d, c, VSOCK_OWE(VIRTIO_VSOCK_OP_RST)); break;
	}
	vsock_watch(d, c);
}

static void take_packet(struct vdev *d, const struct virtio_vsock_hdr *h)
{
	struct vsock *s = d->state;
	struct connection *c;

	if (h->src_cid != s->cid) {
		machine_counters(d->machine, d)->drops++; /* 5.10.6.2.1: to nobody */
		return;
	}
	c = h->dst_cid == CID_HOST && h->type == VIRTIO_VSOCK_TYPE_STREAM
		    ? vsock_find(s, h->src_port, h->dst_port)
		    : NULL;
	if (c)
		take_known(d, c, h);
	else if (h->op == VIRTIO_VSOCK_OP_REQUEST && h->dst_cid == CID_HOST &&
		 h->type == VIRTIO_VSOCK_TYPE_STREAM)
		take_request(d, h);
	else
		owe_reset(d, h);
}

static void take_packets(struct vdev *d)
{
	struct vsock *s = d->state;
	struct virtio *v = &s->device.virtio;

	for (unsigned i = 0; i < TX_BATCH && virtio_take(v, TX, &s->chain); i++) {
		struct virtio_vsock_hdr h;

		if (virtq_read(&s->chain, 0, &h, sizeof h) != sizeof h || h.len > VSOCK_PACKET) {
			virtio_break(v, "a packet without its header, or over 64K");
			return;
		}
		take_packet(d, &h);
		virtio_give(v, TX, &s->chain, 0);
		if (i + 1 == TX_BATCH)
			virtio_ring(v, TX); /* others want the lock, too */
	}
}

/* There are buffers: the bytes that waited for them are asked for anew. */
static void unpark(struct vdev *d)
{
	struct vsock *s = d->state;

	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (!c->waits_for_buf)
			continue;
		c->waits_for_buf = false;
		vsock_watch(d, c);
	}
}

static void vsock_notify(struct virtio *v, unsigned queue)
{
	struct vdev *d = v->vdev;

	((struct vsock *)d->state)->is_awake = true;
	if (queue == TX)
		take_packets(d);
	else if (queue == RX)
		unpark(d);
	vsock_pump(d);
}

static void vsock_reset(struct virtio *v)
{
	struct vsock *s = v->vdev->state;

	s->is_awake = false;
	s->n_resets = 0;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (s->connection[i].state != CONNECTION_FREE)
			vsock_drop(v->vdev, &s->connection[i]);
}

/* --- its making --- */

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_VSOCK,
	.pci_class = 0x028000, /* network controller, other */
	.n_queues = QUEUES,
	.queue_most = QUEUE_MOST,
	.notify = vsock_notify,
	.reset = vsock_reset,
};

static void vsock_init(struct vdev *d)
{
	struct vsock *s = d->state;

	s->cid = CID_LEAST;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		s->connection[i].fd = -1;
}

static int set_hostdev(struct vdev *d, const char *value, struct err *e)
{
	if (!value[0] || strchr("<>|-", value[0]))
		return err_set(e, CONFIG,
			       "hostdev '%.80s' is no socket: write the PATH that clients of the "
			       "host connect to; the guest's go to PATH_PORT",
			       value);
	if (d->n_wants)
		return err_set(e, CONFIG,
			       "hostdev '%.80s': the vsock has a socket already, '%.80s'", value,
			       d->want[0].path);
	return vdev_want(d, WANT_SOCKET, value, e) < 0 ? -1 : vdev_want(d, WANT_DIAL, value, e);
}

static int set_cid(struct vdev *d, const char *value, struct err *e)
{
	struct vsock *s = d->state;

	if (number_plain(value, strlen(value), &s->cid, e) < 0)
		return -1;
	/* 5.10.4: 0, 1, 2 and 2^32-1 are taken, the upper half is zero. */
	if (s->cid < CID_LEAST || s->cid >= UINT32_MAX)
		return err_set(e, CONFIG, "'cid %s' is not from %d to %u", value, CID_LEAST,
			       UINT32_MAX - 1);
	return 0;
}

static int vsock_check(struct vdev *d, struct err *e)
{
	if (d->n_wants)
		return 0;
	return err_set(e, CONFIG,
		       "`vdev virtio-vsock` has no socket of the host: add `hostdev PATH`");
}

static int vsock_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct vsock *s = d->state;

	(void)m;
	if (virtio_assemble(d, &kind, e) < 0)
		return -1;
	memcpy(s->device.virtio.config, &s->cid, sizeof s->cid);
	s->has_dialer = true;
	if (iothread_spawn(&s->thread, d, vsock_ready, e) < 0 ||
	    iothread_watch(&s->thread, d->want[VSOCK_LISTENER].fd, EPOLLIN, e) < 0 ||
	    iothread_watch(&s->thread, d->want[VSOCK_DIALER].fd, EPOLLIN, e) < 0)
		return -1;
	return virtio_doorbells(d, &s->thread, e);
}

static void vsock_stop(struct vdev *d)
{
	iothread_stop(&((struct vsock *)d->state)->thread);
}

static void vsock_destroy(struct vdev *d)
{
	struct vsock *s = d->state;

	vsock_stop(d);
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		connection_clear(&s->connection[i]);
}

static const struct vdev_option options[] = {
	{"hostdev", "PATH",
	 "a unix socket that clients of the host connect to and write `CONNECT PORT`; "
	 "what the guest connects to is PATH_PORT",
	 set_hostdev},
	{"cid", "NUMBER", "the guest's context identifier; 3 if not given", set_cid},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {SANDBOX_CALL(accept4), SANDBOX_CALL(recvmsg),
						SANDBOX_CALL(shutdown), SANDBOX_END};

static const struct vdev_class virtio_vsock = {
	VIRTIO_CLASS,
	.name = "virtio-vsock",
	.summary = "the guest's AF_VSOCK sockets as unix sockets of the host (PCI; or MMIO by `loc "
		   "mem:` and `intr`)",
	.state_bytes = sizeof(struct vsock),
	.options = options,
	.is_single = true,
	.init = vsock_init,
	.check = vsock_check,
	.assemble = vsock_assemble,
	.stop = vsock_stop,
	.destroy = vsock_destroy,
	.syscalls = syscalls,
	.has_iothread = true,
	.has_doorbells = true,
};
VDEV_REGISTER(virtio_vsock);
