/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lobby.h - the connections that are open, through whichever door: how many one user may have, and how
 * long a request may take to arrive. qvm-api; owned by http.c.
 *
 * Libmicrohttpd's own time-out begins anew with each byte, so a client that sends one a second would
 * stay for ever. Here one timer is set to the earliest deadline of all; who misses it is hung up on.
 *
 * A user other than root and the supervisor's may have half of all connections, and the last
 * LOBBY_RESERVE are for admins: whoever fills the house leaves the door open for those who can end it.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct lobby;
struct visitor;

enum {
	LOBBY_HEAD_MS = 10 * 1000, /* from a connection's start, or a request's, to its head */
	LOBBY_BODY_MS = 30 * 1000, /* from there to the body's end */
	LOBBY_RESERVE = 64,
};

/* most: connections; before_end is called before anybody is hung up on, to read what has come. */
struct lobby *lobby_new(sd_event *loop, unsigned most, void (*before_end)(void *arg), void *arg);
/* All visitors have left. */
void lobby_free(struct lobby *l);

/* A connection is open; it has time for the head of its first request, or is hung up on at once. */
void lobby_enter(struct lobby *l, struct visitor *v);
void lobby_leave(struct lobby *l, struct visitor *v);
/* What it is to send next must be complete in `ms`; 0 = it is our turn. */
void lobby_expect(struct lobby *l, struct visitor *v, uint64_t ms);
/* The pure part: may somebody who has `own` connections have one more, where others than admins have
 * `common` of them already? */
int lobby_has_room(unsigned most, unsigned own, unsigned common);
