/* SPDX-License-Identifier: Apache-2.0 */
/*
 * startup.h - starts without an operator, in order: autostart, and what ran before the host or the
 * supervisor went down. Supervisor; the queue is the `turn` of each VM. decide/order.c judges.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct daemon;
struct order_member;
struct vm;

enum turn {
	TURN_NONE,   /* not in the queue */
	TURN_WAITS,  /* for others */
	TURN_CALLED, /* it is started after its start_delay_ms */
};

/* Into the queue; startup_step() calls it. */
void startup_queue(struct vm *v);
/* Something has changed: call those whose turn has come. Starts nothing by itself. */
void startup_step(struct daemon *d);
/* Its delay is over. False: it is no longer its turn, and waits again. */
bool startup_may_go(struct vm *v);
/* All VMs as the order sees them, by name, prepared; the caller frees them. */
struct order_member *startup_members(const struct daemon *d);
