/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - one datagram on a SOCK_SEQPACKET pair = header + one fixed struct + fds. All processes.
 *
 * Messages are the only door between processes. Which types exist, who may send them, their size
 * and how many fds they carry is a table (schemas/messages.def); wire.c checks against it and knows
 * nothing else. The peer is hostile: whatever is wrong with a message is the sender's end alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { WIRE_VERSION = 1, WIRE_BODY = 4096, WIRE_FDS = 4 };

/* Direction is part of the type: a worker that sends a TO_WORKER message breaks the protocol. */
enum wire_dir {
	WIRE_TO_WORKER,
	WIRE_FROM_WORKER,
	WIRE_TO_API,
	WIRE_FROM_API,
	WIRE_FROM_OPENER,
	WIRE_TO_KEEPER,
	WIRE_FROM_KEEPER,
};

struct wire_rule {
	const char *name;
	enum wire_dir dir;
	uint32_t bytes; /* of the body, exactly */
	uint32_t fds;	/* exactly */
};

struct wire_table {
	const struct wire_rule *rule; /* indexed by type; rule[0] is unused */
	unsigned n;
};

struct wire_hdr {
	uint16_t version, type;
	uint32_t bytes;	  /* of the body */
	uint64_t request; /* the REST request this belongs to; 0 = none */
};
_Static_assert(sizeof(struct wire_hdr) == 16, "crosses process boundaries");

/* A received message. Own it with AUTO(wire_close_fds): what is not taken is closed. */
struct wire_msg {
	struct wire_hdr hdr;
	_Alignas(8) uint8_t body[WIRE_BODY];
	int fd[WIRE_FDS];
	unsigned n_fds;
};

/* A pair of links, non-blocking and CLOEXEC. */
int wire_pair(int ret_fd[static 2], struct err *e);

/*
 * Send without ever waiting. A full socket is ERR_PROTOCOL (the peer does not read), a closed one
 * ERR_WORKER. The fds stay the caller's.
 */
int wire_send(int link, const struct wire_table *t, unsigned type, uint64_t request,
	      const void *body, const int *fd, unsigned n_fds, struct err *e);

/*
 * Receive one message that travels in direction `from`. Returns 1 with *ret filled, 0 when nothing
 * is there (EAGAIN), -1 with ERR_WORKER at end of file, ERR_PROTOCOL when the message breaks a rule
 * (its fds are closed).
 */
int wire_recv(int link, const struct wire_table *t, enum wire_dir from, struct wire_msg *ret,
	      struct err *e);

/* Check one datagram against the table; the pure part of wire_recv, for tests and fuzzing. */
int wire_check(const struct wire_table *t, enum wire_dir from, const struct wire_hdr *h,
	       uint64_t n_bytes, unsigned n_fds, struct err *e);

/* Give away fd i of a message. */
int wire_take_fd(struct wire_msg *m, unsigned i);
void wire_close_fds(struct wire_msg *m);
