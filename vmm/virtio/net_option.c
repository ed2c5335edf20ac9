/* SPDX-License-Identifier: Apache-2.0 */
/* The options of virtio-net, and its address and checksum. */
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/tap.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/virtio/net.h"

enum { PEERFEATS_MOST = 0x7fc3, MTU_LEAST = 68, MTU_MOST = 65535 };

void net_make_mac(const char *system, const struct vdev *d, uint8_t ret[static NET_MAC])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	char text[NAME_CAP + VDEV_NAME + 16];

	/* Those without a name of their own are told apart by their place. */
	snprintf(text, sizeof text, "%s/%s/%d", system, d->name,
		 strcmp(d->name, d->class->name) ? 0 : (int)d->index);
	for (const char *s = text; *s; s++)
		hash = (hash ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	for (unsigned i = 0; i < NET_MAC; i++)
		ret[i] = (uint8_t)(hash >> (8 * i + 16));
	ret[0] = (uint8_t)((ret[0] & 0xfc) | 2); /* locally administered, one station */
}

bool net_checksum(struct virtio_net_hdr_v1 *h, uint8_t *frame, size_t bytes)
{
	size_t start = h->csum_start, at = start + h->csum_offset;
	uint32_t sum = 0;

	if (start >= bytes || at + 2 > bytes)
		return false;
	for (size_t i = start; i < bytes; i++)
		sum += (uint32_t)frame[i] << ((i - start) % 2 ? 0 : 8); /* at most 2^16 bytes */
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	if (sum == 0)
		sum = 0xffff; /* RFC 768: 0 is no checksum; elsewhere both are the same */
	frame[at] = (uint8_t)(sum >> 8);
	frame[at + 1] = (uint8_t)sum;
	h->flags = 0;
	return true;
}

static int one_end(struct vdev *d, const char *option, const char *value, struct err *e)
{
	if (d->n_wants == 0)
		return 0;
	return err_set(e, CONFIG, "'%s %s': the network has a host end already, '%s'", option,
		       value, d->want[0].path);
}

static int set_tapdev(struct vdev *d, const char *value, struct err *e)
{
	char path[sizeof TAP_WANT + IFNAMSIZ];

	if (one_end(d, "tapdev", value, e) < 0)
		return -1;
	snprintf(path, sizeof path, TAP_WANT "%s", value);
	if (strlen(value) >= IFNAMSIZ || !tap_name(path))
		return err_set(e, CONFIG,
			       "'%.40s' is no name of an interface: 1 to %d bytes, without '/'",
			       value, IFNAMSIZ - 1);
	return vdev_want(d, WANT_TAP, path, e);
}

/* The name of its own node may come behind it: check() puts that in. */
static int set_peer(struct vdev *d, const char *value, struct err *e)
{
	struct net *n = d->state;
	struct peer_name other;

	if (one_end(d, "peer", value, e) < 0 || peer_parse(value, &other, e) < 0)
		return -1;
	str_copy(n->peer, sizeof n->peer, value);
	return vdev_want(d, WANT_PEER, value, e);
}

static int set_mac(struct vdev *d, const char *value, struct err *e)
{
	struct net *n = d->state;
	unsigned b[NET_MAC];
	int end = 0;

	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != NET_MAC ||
	    strlen(value) != 17 || end != 17)
		return err_set(e, CONFIG,
			       "'%.40s' is no MAC address: six bytes, as in 02:00:00:00:00:01",
			       value);
	if (b[0] & 1)
		return err_set(
			e, CONFIG,
			"'%s' is the address of a group: the first byte of a station's is even",
			value);
	if (!(b[0] | b[1] | b[2] | b[3] | b[4] | b[5]))
		return err_set(e, CONFIG,
			       "'%s' is nobody's address, and a guest takes none such: leave `mac` "
			       "out, or write one as 02:00:00:00:00:01",
			       value);
	for (unsigned i = 0; i < NET_MAC; i++)
		n->mac[i] = (uint8_t)b[i];
	n->has_mac = true;
	return 0;
}

static int set_peerfeats(struct vdev *d, const char *value, struct err *e)
{
	struct net *n = d->state;

	if (number_plain(value, strlen(value), &n->peerfeats, e) < 0)
		return -1;
	if (n->peerfeats & ~(uint64_t)PEERFEATS_MOST)
		return err_set(
			e, CONFIG,
			"'peerfeats %s' has bits beyond 0x%x: the offload features of virtio-net "
			"that the peer's driver is assumed to accept",
			value, PEERFEATS_MOST);
	return 0;
}

static int set_mtu(struct vdev *d, const char *value, struct err *e)
{
	struct net *n = d->state;
	uint64_t mtu;

	if (number_plain(value, strlen(value), &mtu, e) < 0)
		return -1;
	if (mtu < MTU_LEAST || mtu > MTU_MOST)
		return err_set(e, CONFIG, "'mtu %s' is not from %d to %d", value, MTU_LEAST,
			       MTU_MOST);
	n->mtu = (uint16_t)mtu;
	return 0;
}

static int refuse_legacy(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	(void)value;
	return err_set(
		e, CONFIG,
		"`legacy` is refused: the guest needs a driver of virtio 1.0 or later; leave "
		"it out");
}

static int refuse_bind_mode(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(
		e, CONFIG,
		"'bind-mode %s': a node has no file whose mode could be set; who may meet is "
		"decided by the two VMs that name each other; leave it out",
		value);
}

int net_check(struct vdev *d, struct err *e)
{
	const struct net *n = d->state;
	struct peer_name other;
	char path[PEER_PATH];

	if (d->n_wants == 0)
		return err_set(
			e, CONFIG,
			"`vdev virtio-net` has no host end: add `peer /dev/qvm/SYSTEM/NAME`, "
			"another VM's network, or `tapdev NAME`, a TAP interface of the host");
	if (!n->peer[0] && n->peerfeats)
		return err_set(e, CONFIG,
			       "`peerfeats` is for a `peer`: what a TAP accepts is known; leave it "
			       "out");
	if (!n->peer[0])
		return 0;
	if (peer_parse(n->peer, &other, e) < 0)
		return -1;
	peer_want(&other, d->name, path);
	str_copy(d->want[0].path, sizeof d->want[0].path, path);
	return 0;
}

const struct vdev_option net_options[] = {
	{"peer", "/dev/qvm/SYSTEM/NAME", "the network of another VM, which names this one",
	 set_peer},
	{"tapdev", "NAME", "a TAP interface of the host", set_tapdev},
	{"mac", "AA:BB:CC:DD:EE:FF", "its address; made from the names of VM and vdev if not given",
	 set_mac},
	{"mtu", "BYTES", "what the guest is told to send at most", set_mtu},
	{"peerfeats", "MASK",
	 "features that the peer's driver is assumed to accept; 0 if not given", set_peerfeats},
	{"bind-mode", "MODE", "mode of the node's file (refused: there is none)", refuse_bind_mode},
	{"legacy", NULL, "the interface of virtio 0.9.5 (refused)", refuse_legacy},
	{NULL},
};
