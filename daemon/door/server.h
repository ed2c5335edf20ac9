/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the qvm-api process and the socket it serves: spawned, watched, started again with a
 * growing delay. Supervisor; part of struct daemon. The socket is made once and outlives it, so a
 * client that connects meanwhile waits instead of being refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/worker/process.h"

struct daemon;

struct server {
	int listener;
	char path[108]; /* of the socket */
	struct process process;
	sd_event_source *source, *again;
	uint64_t started_ms, delay_ms;
	bool was_up; /* has served once */
};

int server_open(struct daemon *d, struct err *e);
/* API_READY came. */
void server_is_up(struct daemon *d);
/* End it: it broke the protocol or does not read. It is started again. */
void server_fence(struct daemon *d, const struct err *why);
/* The ordered end: ask it to go; true when it has gone. */
bool server_end(struct daemon *d);
void server_close(struct daemon *d);
