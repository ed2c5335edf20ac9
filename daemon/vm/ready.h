/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ready.h - a standby that is held ready (policy standby_warm of the primary): its worker is spawned and
 * its machine assembled while the other one of the pair runs, and all that is missing is START.
 * Supervisor. decide/pair.c judges when, worker/late.h knows what is claimed before the start.
 *
 * Whatever two VMs may not have at once it has opened and not locked (schemas/wants.def says what); where
 * it would have more than that it is kept cold, which an event and its reason tell.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct daemon;
struct vm;
struct worker;

/* It is held ready, or on its way there. */
bool ready_is(const struct vm *v);
/* It fell while it was held, and is prepared again at its time. */
bool ready_waits(const struct vm *v);
/* Prepare the one of the pair that is not the active one, or let it go. */
void ready_step(struct daemon *d, struct vm *primary, struct vm *partner);
/* It is in no pair any more, or has become the active one and shall not run. */
void ready_end(struct daemon *d, struct vm *v);
/* The plan has come: false = its VM is kept cold, and it ends. */
bool ready_may_be(struct vm *v, struct worker *w);
/* Its machine stands. */
void ready_note(struct daemon *d, struct vm *v);
/* It takes over: claim what it has late, then START. */
void ready_claim(struct daemon *d, struct vm *v);
/* The answer; why NULL = all is its own. */
void ready_claimed(struct vm *v, const struct err *why);
/* START is sent, and nothing of it is claimed late any more. */
void ready_enter(struct vm *v);
