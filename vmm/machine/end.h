/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end.h - the end of a machine: the first one counts. Worker; part of struct machine.
 *
 * Any thread may end the machine; the vCPUs are kicked so that they notice.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/machine/machine.h"

struct end {
	_Atomic uint32_t stage;
	int fd; /* eventfd: readable from the end on */
	struct machine_end how;
	void (*kick)(void *arg); /* every vCPU, out of the guest */
	/* True: it is no end, the machine stands instead. NULL = every end is one. */
	bool (*freeze)(void *arg, const struct machine_end *how);
	void *kick_arg;
};

int end_init(struct end *x, void (*kick)(void *arg), void *arg, struct err *e);
/* End it. exit_code 0 = the cause's own; err NULL = none. False if it had ended before, or
 * stands frozen instead. */
bool end_now(struct end *x, const struct machine_end *how);
bool end_is_near(const struct end *x); /* somebody has ended it: leave the guest */
/* How: CAUSE_NONE while it has not ended. */
void end_read(struct end *x, struct machine_end *ret);
/* Wait until the thread that ended it has told everybody: until then it may kick any vCPU. */
void end_await(const struct end *x);
void end_destroy(struct end *x);
