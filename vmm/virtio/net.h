/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - the state of a virtio-net, its options and what needs no queue: between net.c, which moves
 * the frames, and net_option.c. Worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/peer.h"
#include "vmm/vdev/iothread.h"
#include "vmm/virtio/device.h"

struct virtio_net_hdr_v1;

enum {
	NET_MAC = 6,
	NET_FRAME = 12 + 14 + 4 + 65535, /* header, Ethernet with a VLAN tag, the largest segment */
	NET_MERGE = 128,		 /* buffers that one frame may fill */
};

/* A buffer of the guest that part of a frame has filled. */
struct net_buffer {
	uint16_t head;
	size_t bytes;
};

struct net {
	struct virtio_device device;
	struct iothread thread;
	/* From the configuration. */
	bool has_mac;
	uint8_t mac[NET_MAC];
	uint16_t mtu; /* 0 = not said */
	uint64_t peerfeats;
	char peer[PEER_PATH]; /* "" = a TAP */
	/* Under the vdev's lock. */
	bool is_awake;	   /* the driver is ready and the host's end knows */
	bool is_listening; /* to the host: the guest has had buffers */
	bool is_lost;	   /* the host's end, for good */
	bool has_met;
	size_t held; /* bytes in `frame` that wait for buffers */
	struct virtq_chain first, chain;
	_Alignas(8) uint8_t frame[NET_FRAME + 1];
};

extern const struct vdev_option net_options[];
int net_check(struct vdev *d, struct err *e);
/* An address of its own for each vdev of each VM, the same at each start: locally administered. */
void net_make_mac(const char *system, const struct vdev *d, uint8_t ret[static NET_MAC]);
/* Fill in the checksum that a header asks for (5.1.6.2); false if it lies outside the frame. */
bool net_checksum(struct virtio_net_hdr_v1 *h, uint8_t *frame, size_t bytes);
