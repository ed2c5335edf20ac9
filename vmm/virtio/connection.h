/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - one connection of a virtio-vsock between a port of the guest and a unix socket of the
 * host: its state, its credit both ways, and what has come from the guest and not gone on yet. Worker;
 * under the vdev's lock.
 *
 * Nothing here waits and all of it is bounded: the guest may send CONNECTION_ROOM bytes ahead of the
 * host's reader, and the host's bytes are read only as far as the guest has said it has room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/virtio/greeting.h"

enum { CONNECTION_ROOM = 64 * 1024 };

enum connection_state {
	CONNECTION_FREE,
	CONNECTION_GREETS, /* a client of the host has not said yet whom it wants */
	CONNECTION_ASKED,  /* the guest, whether it takes that client */
	CONNECTION_DIALS,  /* the host is asked for the guest */
	CONNECTION_OPEN,
	CONNECTION_CLOSES, /* its last packet is still owed to the guest, or the guest's to us */
};

struct connection {
	enum connection_state state;
	uint32_t guest_port, host_port;
	uint32_t id; /* of its dialer_request; and its age */
	int fd;	     /* -1 = none yet, or none any more */
	/* To the guest (5.10.6.3). */
	uint32_t sent, guest_room, guest_taken;
	uint32_t owed;	    /* packets, by operation */
	bool waits_for_buf; /* of the guest, to be read into */
	bool host_is_done;  /* no more bytes from the host, or for the guest */
	/* From it. */
	uint32_t got, passed, told; /* bytes; told: of `passed`, what the guest knows */
	bool guest_is_done, guest_is_deaf;
	uint8_t *held; /* of CONNECTION_ROOM, once needed: a ring */
	uint32_t held_at, n_held;
	char line[GREETING_MOST];
	unsigned n_line;
};

/* Bytes that the guest has room for; 0 if its word makes no sense. */
uint32_t connection_credit(const struct connection *c);
/* Bytes from the guest, which have credit: -1 when the host does not take them any more. */
int connection_take(struct connection *c, const uint8_t *bytes, size_t n);
/* The host takes bytes again: pass on what is held. -1 likewise. */
int connection_flush(struct connection *c);
/* The guest is to hear of its room, before it runs out of it (5.10.6.3). */
bool connection_owes_credit(const struct connection *c);
/* No more from the guest, and all that came has gone on. */
bool connection_is_drained(const struct connection *c);
/* As new: state CONNECTION_FREE. Its fd is forgotten already. */
void connection_clear(struct connection *c);
