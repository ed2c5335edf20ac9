/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialer.h - connects to unix sockets for a worker whose sandbox has no paths. Supervisor or, beside a
 * lone worker, a process of its own; and the worker, which asks.
 *
 * The worker asks for a port by a packet on a link of its own, and gets a connection to the socket
 * PREFIX_PORT: nothing else can be reached, neither another name nor through a symbolic link.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct dialer_request {
	uint32_t id, port;
};

struct dialer_answer {
	uint32_t id;
	uint32_t is_there; /* a connection comes along */
};

_Static_assert(sizeof(struct dialer_request) == 8 && sizeof(struct dialer_answer) == 8,
	       "crosses process boundaries");

/* The two ends of a link: packets, never waiting. The caller owns both. */
int dialer_pair(int ret[static 2], struct err *e);
/* Answer one request to PREFIX in the folder, without waiting: 1; 0 when there is none; -1 when the
 * worker has gone, or is not one that asks. */
int dialer_serve(int link, int folder_fd, const char *prefix);

/* The worker: ask; -1 when nobody will answer. */
int dialer_ask(int link, const struct dialer_request *r);
/* One answer, with its connection, which the caller owns, or -1: 1; 0 when there is none; -1 when
 * nobody answers any more. */
int dialer_hear(int link, struct dialer_answer *ret, int *ret_fd);
