/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.h - all vCPUs stand still between two instructions, and go on as if nothing had been. Worker;
 * part of struct machine.
 *
 * Who wants the hold does not wait: fd becomes readable once the last vCPU stands. Each vCPU has
 * finished what it left the guest for, and its registers are in the black box.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct hold {
	int fd; /* eventfd: readable when all stand; -1 = none */
	unsigned n, n_here;
	atomic_bool is_wanted;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

int hold_init(struct hold *h, unsigned n_vcpus, struct err *e);
void hold_want(struct hold *h);	   /* the caller kicks the vCPUs */
void hold_release(struct hold *h); /* also of one that is not complete; without one, nothing */
static inline bool hold_is_wanted(const struct hold *h)
{
	return atomic_load(&h->is_wanted);
}
bool hold_is_complete(struct hold *h);
/* A vCPU thread: stand here until the release. */
void hold_pass(struct hold *h);
void hold_destroy(struct hold *h);
