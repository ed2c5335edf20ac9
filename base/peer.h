/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - the names by which the networks of two guests find each other, and the words they say on
 * the way. Supervisor, worker.
 *
 * A network is the node /dev/qvm/SYSTEM/NAME of its VM; each end names its own and the other's. Frames
 * between them are packets of a header (TAP_HEADER of base/tap.h) and an Ethernet frame; a packet of
 * one byte is a word about the link, of which none needs an answer to keep frames flowing.
 */
#pragma once

#include "base/err.h"
#include "base/name.h"

enum { PEER_NODE = 32, PEER_PATH = 256 };

/* The words. */
enum {
	PEER_UP = 'u',	 /* my driver is ready; is yours? */
	PEER_TOO = 't',	 /* mine too */
	PEER_DOWN = 'd', /* it is not any more, or its VM is gone */
};

struct peer_name {
	char system[NAME_CAP], node[PEER_NODE];
};

/* Read /dev/qvm/SYSTEM/NAME. */
int peer_parse(const char *path, struct peer_name *ret, struct err *e);
/* The path of a WANT_PEER: the other's node, a blank, the name of the own. */
void peer_want(const struct peer_name *other, const char *own, char ret[static PEER_PATH]);
/* Read such a path; it comes from a worker and is hostile. */
int peer_parse_want(const char *path, struct peer_name *ret_other, char ret_own[static PEER_NODE],
		    struct err *e);
/* <0, 0, >0 as strcmp(). */
int peer_compare(const struct peer_name *a, const struct peer_name *b);
