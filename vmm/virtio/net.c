/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net - a network card (virtio 1.2, 5.1) on a TAP interface of the host, or on a link to the
 * card of another VM (base/peer.h). One pair of queues; no control queue: the card is promiscuous.
 *
 * Both host ends take and give a header and a frame at a time and never wait. A frame that the host
 * has no room for is dropped and counted; frames for a guest without buffers wait in the host, whose
 * queue is bounded. The host's end speaks only while the driver is ready.
 *
 * No negotiation with the other end's driver is possible: `peerfeats` says what it is assumed to have
 * accepted, and only then is its counterpart offered here.
 */
#include "vmm/virtio/net.h"

#include <linux/if_tun.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/tap.h"
#include "schemas/message.h"
#include "vmm/machine/machine.h"

#define BIT(n) (UINT64_C(1) << (n))

enum { RX = 0, TX = 1, QUEUE_MOST = 256 };
enum { HEADER = sizeof(struct virtio_net_hdr_v1), FRAME_LEAST = 14 };
enum { BATCH = 64, TX_BATCH = 256, STALE_MOST = 16384 };

_Static_assert((int)HEADER == (int)TAP_HEADER, "5.1.6: one header for guest and host");

static void count_drop(struct vdev *d)
{
	machine_counters(d->machine, d)->drops++;
}

static bool is_peer(const struct vdev *d)
{
	return d->want[0].kind == WANT_PEER;
}

/* --- the link --- */

static void say(struct vdev *d, char word)
{
	/* Not heard by a peer whose queue is full: it hears of us by the next frame. */
	if (is_peer(d) && write(d->want[0].fd, &word, 1) != 1)
		count_drop(d);
}

static void set_link(struct vdev *d, bool is_up)
{
	struct net *n = d->state;
	struct virtio *v = &n->device.virtio;
	struct virtio_net_config c;

	memcpy(&c, v->config, sizeof c);
	if (is_up == !!(c.status & VIRTIO_NET_S_LINK_UP))
		return;
	c.status = is_up ? VIRTIO_NET_S_LINK_UP : 0;
	memcpy(v->config, &c, sizeof c);
	virtio_config_changed(v);
	if (is_up && !n->has_met)
		vdev_info(d, "vdev %s: its peer '%s' is there", d->name, n->peer);
	n->has_met = n->has_met || is_up;
}

static void hear(struct vdev *d, char word)
{
	if (word == PEER_UP)
		say(d, PEER_TOO);
	if (word == PEER_UP || word == PEER_TOO)
		set_link(d, true);
	else if (word == PEER_DOWN)
		set_link(d, false);
}

/* What a TAP may leave for the guest to finish (5.1.3.1). */
static void set_offloads(struct vdev *d, bool is_on)
{
	const struct virtio *v = &((struct net *)d->state)->device.virtio;
	static const struct {
		unsigned feature, flag;
	} offloads[] = {{VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM},
			{VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4},
			{VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6},
			{VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN}};
	unsigned long flags = 0;

	if (is_peer(d))
		return;
	/* 5.1.3.1: none of the others without the checksum. */
	for (size_t i = 0; is_on && i < NELEMS(offloads); i++)
		if (virtio_has(v, offloads[i].feature) && virtio_has(v, VIRTIO_NET_F_GUEST_CSUM))
			flags |= offloads[i].flag;
	if (ioctl(d->want[0].fd, TUNSETOFFLOAD, flags) < 0 && flags)
		vdev_warn(d, "vdev %s: the host's interface keeps its checksums to itself",
			  d->name);
}

static void listen_to_host(struct vdev *d, bool is_on)
{
	struct net *n = d->state;
	struct err e;

	if (n->is_listening == is_on || n->is_lost)
		return;
	n->is_listening = is_on;
	if (iothread_watch(&n->thread, d->want[0].fd, is_on ? EPOLLIN : 0, &e) < 0)
		vdev_log_err(d, &e);
}

/* The driver has become ready: what waited for another is not for it. */
static void wake(struct vdev *d)
{
	struct net *n = d->state;

	for (unsigned i = 0; i < STALE_MOST; i++) {
		if (read(d->want[0].fd, n->frame, sizeof n->frame) < 0)
			break;
		count_drop(d);
	}
	n->is_awake = true;
	n->held = 0;
	set_offloads(d, true);
	say(d, PEER_UP);
}

static void net_reset(struct virtio *v)
{
	struct vdev *d = v->vdev;
	struct net *n = d->state;

	if (!n->is_awake)
		return;
	n->is_awake = false;
	n->held = 0;
	listen_to_host(d, false);
	set_offloads(d, false);
	say(d, PEER_DOWN);
	if (is_peer(d))
		set_link(d, false);
}

/* --- frames to the guest --- */

/* The peer's driver may leave a checksum to ours, which may not have said that it takes one. */
static bool is_acceptable(const struct virtio *v, struct virtio_net_hdr_v1 *h, uint8_t *frame,
			  size_t bytes)
{
	unsigned gso = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if (gso != VIRTIO_NET_HDR_GSO_NONE &&
	    !(gso == VIRTIO_NET_HDR_GSO_TCPV4 && virtio_has(v, VIRTIO_NET_F_GUEST_TSO4)) &&
	    !(gso == VIRTIO_NET_HDR_GSO_TCPV6 && virtio_has(v, VIRTIO_NET_F_GUEST_TSO6)))
		return false;
	if ((h->gso_type & VIRTIO_NET_HDR_GSO_ECN) && !virtio_has(v, VIRTIO_NET_F_GUEST_ECN))
		return false;
	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    (size_t)h->csum_start + h->csum_offset + 2 > bytes)
		return false;
	if (virtio_has(v, VIRTIO_NET_F_GUEST_CSUM)) {
		h->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID;
		return true;
	}
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return net_checksum(h, frame, bytes);
	h->flags = 0;
	return true;
}

/* n->frame of n->held bytes goes into as many buffers as it needs (5.1.6.4). 0 = none is there. */
static int give(struct vdev *d)
{
	struct net *n = d->state;
	struct virtio *v = &n->device.virtio;
	bool may_merge = virtio_has(v, VIRTIO_NET_F_MRG_RXBUF);
	struct net_buffer used[NET_MERGE];
	unsigned n_used = 0;
	size_t done = 0;

	while (done < n->held) {
		struct virtq_chain *c = n_used ? &n->chain : &n->first;

		if (n_used == NET_MERGE || (n_used && !may_merge) || !virtio_take(v, RX, c))
			break;
		used[n_used].head = c->head;
		used[n_used].bytes = virtq_write(c, 0, n->frame + done, n->held - done);
		done += used[n_used++].bytes;
	}
	if (done < n->held) {
		/* The guest will offer the same buffers for the next frame. */
		virtio_untake(v, RX, n_used);
		if (n_used)
			count_drop(d);
		return n_used != 0;
	}
	((struct virtio_net_hdr_v1 *)(void *)n->frame)->num_buffers = (uint16_t)n_used;
	virtq_write(&n->first, 0, n->frame, HEADER);
	for (unsigned i = 0; i < n_used; i++) {
		n->chain.head = used[i].head;
		virtio_give(v, RX, &n->chain, used[i].bytes);
	}
	machine_counters(d->machine, d)->bytes_in += n->held - HEADER;
	return 1;
}

/* True if n->frame holds a frame for the guest; the bytes are another VM's. */
static bool judge(struct vdev *d, size_t bytes)
{
	struct net *n = d->state;
	struct virtio_net_hdr_v1 h;

	if (bytes == 1) {
		if (is_peer(d))
			hear(d, (char)n->frame[0]);
		return false;
	}
	if (is_peer(d))
		set_link(d, true); /* who sends frames is there */
	memcpy(&h, n->frame, sizeof h);
	if (bytes < HEADER + FRAME_LEAST || bytes > NET_FRAME ||
	    !is_acceptable(&n->device.virtio, &h, n->frame + HEADER, bytes - HEADER)) {
		count_drop(d);
		return false;
	}
	h.num_buffers = 1;
	memcpy(n->frame, &h, sizeof h);
	n->held = bytes;
	return true;
}

/* The host's end is gone for good, as a TAP that was deleted. */
static void lose(struct vdev *d)
{
	struct net *n = d->state;

	listen_to_host(d, false);
	n->is_lost = true;
	set_link(d, false);
	vdev_warn(d, "vdev %s: its host end '%s' has gone; the guest has no network any more",
		  d->name, d->want[0].path);
}

static void ready(struct vdev *d, int fd, uint32_t events)
{
	struct net *n = d->state;

	if (events & (EPOLLERR | EPOLLHUP)) {
		lose(d);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++) {
		if (!virtio_is_live(&n->device.virtio)) {
			listen_to_host(d, false);
			return;
		}
		if (n->held) {
			if (!give(d)) {
				listen_to_host(d, false); /* until the guest offers buffers */
				return;
			}
			n->held = 0;
		}
		ssize_t got = read(fd, n->frame, sizeof n->frame);
		if (got < 0)
			return;
		if (!judge(d, (size_t)got))
			n->held = 0;
	}
}

/* --- frames from the guest --- */

static void send_frames(struct vdev *d)
{
	struct net *n = d->state;
	struct virtio *v = &n->device.virtio;

	for (unsigned i = 0; i < TX_BATCH && virtio_take(v, TX, &n->chain); i++) {
		size_t bytes = n->chain.out_bytes;

		if (bytes < HEADER) {
			virtio_break(v, "a frame without its header");
			return;
		}
		if (bytes < HEADER + FRAME_LEAST || bytes > NET_FRAME ||
		    writev(d->want[0].fd, n->chain.part, (int)n->chain.n_out) != (ssize_t)bytes)
			count_drop(d);
		else
			machine_counters(d->machine, d)->bytes_out += bytes - HEADER;
		virtio_give(v, TX, &n->chain, 0);
		if (i + 1 == TX_BATCH)
			virtio_ring(v, TX); /* others want the lock, too */
	}
}

static void net_notify(struct virtio *v, unsigned queue)
{
	struct vdev *d = v->vdev;
	struct net *n = d->state;

	if (!n->is_awake)
		wake(d);
	if (queue == TX)
		send_frames(d);
	listen_to_host(d, true);
	if (queue == RX && n->held)
		ready(d, d->want[0].fd, 0);
}

/* --- its making --- */

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_NET,
	.pci_class = 0x020000, /* Ethernet controller */
	.n_queues = 2,
	.queue_most = QUEUE_MOST,
	.features = BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MRG_RXBUF) |
		    BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) |
		    BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN),
	.notify = net_notify,
	.reset = net_reset,
};

/* What the guest may leave to the other end, given what that has accepted. */
static uint64_t offered(const struct vdev *d)
{
	const struct net *n = d->state;
	static const struct {
		unsigned peers, ours;
	} pairs[] = {{VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM},
		     {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4},
		     {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6},
		     {VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN}};
	uint64_t accepted = is_peer(d) ? n->peerfeats : UINT64_MAX, bits = 0;

	/* 5.1.3.1: segments need the checksum. */
	if (!(accepted & BIT(VIRTIO_NET_F_GUEST_CSUM)))
		return 0;
	for (size_t i = 0; i < NELEMS(pairs); i++)
		if (accepted & BIT(pairs[i].peers))
			bits |= BIT(pairs[i].ours);
	return bits;
}

static int net_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct net *n = d->state;
	struct virtio *v = &n->device.virtio;
	struct virtio_net_config c = {.mtu = n->mtu};

	if (virtio_assemble(d, &kind, e) < 0)
		return -1;
	v->offered |= offered(d) | (n->mtu ? BIT(VIRTIO_NET_F_MTU) : 0);
	if (!n->has_mac)
		net_make_mac(machine_name(m), d, n->mac);
	memcpy(c.mac, n->mac, sizeof c.mac);
	c.status = is_peer(d) ? 0 : VIRTIO_NET_S_LINK_UP;
	_Static_assert(sizeof c <= sizeof v->config, "fits");
	memcpy(v->config, &c, sizeof c);
	if (iothread_spawn(&n->thread, d, ready, e) < 0)
		return -1;
	return virtio_doorbells(d, &n->thread, e);
}

static void net_stop(struct vdev *d)
{
	struct net *n = d->state;

	iothread_stop(&n->thread);
}

static const struct sandbox_allow syscalls[] = {SANDBOX_IOCTL(TUNSETOFFLOAD), SANDBOX_END};

static const struct vdev_class virtio_net = {
	VIRTIO_CLASS,
	.name = "virtio-net",
	.summary = "network card on a TAP of the host, or linked to another VM's (PCI; or MMIO by "
		   "`loc mem:` and `intr`)",
	.state_bytes = sizeof(struct net),
	.options = net_options,
	.check = net_check,
	.assemble = net_assemble,
	.stop = net_stop,
	.destroy = net_stop,
	.syscalls = syscalls,
	.has_iothread = true,
	.has_doorbells = true,
};
VDEV_REGISTER(virtio_net);
