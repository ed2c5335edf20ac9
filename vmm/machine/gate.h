/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - where the vCPU threads wait until the machine starts. Worker; part of struct machine.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n_arrived;
	bool is_open;
};

void gate_init(struct gate *g);
/* A vCPU thread: say that it is here, then wait. */
void gate_pass(struct gate *g);
/* Wait until n threads are here: from then on they make no system call of their start any more. */
void gate_await(struct gate *g, unsigned n);
void gate_open(struct gate *g); /* for good; again is fine */
void gate_destroy(struct gate *g);
