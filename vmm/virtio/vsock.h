/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock.h - the state of a virtio-vsock, between vsock.c, which has the guest's packets, and
 * vsock_host.c, which has the host's sockets. Worker; under the vdev's lock.
 */
#pragma once

#include <linux/virtio_vsock.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/vdev/iothread.h"
#include "vmm/virtio/connection.h"
#include "vmm/virtio/device.h"

enum {
	VSOCK_CONNECTIONS = 128,
	VSOCK_GREETINGS = 16, /* of those, that have not said whom they want */
	VSOCK_RESETS = 64,
	VSOCK_FIRST_PORT = 0x40000000, /* of the host's clients */
	VSOCK_PACKET = 64 * 1024,      /* bytes of data, 5.10.6.3 */
};

enum { VSOCK_LISTENER = 0, VSOCK_DIALER = 1 }; /* its wants */

#define VSOCK_OWE(op) (1u << (op))

struct vsock_ports {
	uint32_t guest, host;
};

struct vsock {
	struct virtio_device device;
	struct iothread thread;
	uint64_t cid;
	char path[VDEV_PATH];
	bool is_awake;	 /* the driver is ready */
	bool has_dialer; /* somebody answers */
	uint32_t last_id, next_port;
	struct connection connection[VSOCK_CONNECTIONS];
	struct vsock_ports reset[VSOCK_RESETS]; /* owed for packets of no connection */
	unsigned n_resets;
	struct virtq_chain chain;
	uint8_t bytes[VSOCK_PACKET];
};

/* --- vsock.c --- */

/* One packet of the host's bytes. 1; 0 when there are none now, no credit or no buffer; -1 when there
 * will be none any more. */
int vsock_feed(struct vdev *d, struct connection *c);
/* All that waited for buffers of the guest. */
void vsock_pump(struct vdev *d);

/* --- vsock_host.c --- */

struct connection *vsock_find(struct vsock *s, uint32_t guest_port, uint32_t host_port);
/* A free one, or NULL. */
struct connection *vsock_add(struct vsock *s, enum connection_state state);
/* Wait for what it can use now. */
void vsock_watch(struct vdev *d, struct connection *c);
/* Its host's end is closed; the packets that the guest is still to have of it. */
void vsock_end(struct vdev *d, struct connection *c, uint32_t owed);
void vsock_drop(struct vdev *d, struct connection *c);
/* Pass on that the guest has said its last, once all before has gone on. */
void vsock_settle(struct vdev *d, struct connection *c);
/* The guest takes the client. */
void vsock_welcome(struct vdev *d, struct connection *c);
void vsock_ready(struct vdev *d, int fd, uint32_t events);
