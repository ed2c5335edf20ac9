/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.h - takes a VM through schemas/lifecycle.def: an operator's verb (intent is committed before
 * anything is done), an observation (done first, then written), and the answers of its worker.
 * Supervisor. The deeds themselves are action.c's.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "daemon/decide/lifecycle.h"

struct daemon;
struct operation;
struct vm;
struct worker_owner;

/* An operator's verb. ERR_CONFLICT when the state does not allow it, ERR_STORE when the intent
 * cannot be written: then nothing has changed. *ret_operation is the id to follow. */
int life_command(struct daemon *d, struct vm *v, enum vm_event verb, const struct operation *o,
		 int64_t *ret_operation, struct err *e);
/* Something was observed; its column changes, the deed follows. */
void life_observe(struct daemon *d, struct vm *v, enum vm_event what);
/* Start it without an operator (policy, autostart, after a lost supervisor). If the intent cannot
 * be written, it is tried again later. */
void life_start(struct daemon *d, struct vm *v);
/* The same after so long. */
void life_start_in(struct daemon *d, struct vm *v, uint64_t delay_ms);
/* A start, by policy, at that wall time. */
void life_start_at(struct daemon *d, struct vm *v, int64_t wall_ms);
/* A worker of an earlier supervisor is ours: its deadlines, and what was wished for meanwhile. */
void life_resume(struct daemon *d, struct vm *v);
/* How the worker of a VM is heard. */
extern const struct worker_owner life_owner;
