/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle.h - a VM has ended: explain it, decide what follows, close what waited. Supervisor.
 * The worker, if there was one, is reaped; the observed column has changed already.
 */
#pragma once

#include "schemas/lifecycle.h"

struct daemon;
struct vm;

/* The guest stands after a fault, which v->end tells; its worker is kept. */
void settle_freeze(struct daemon *d, struct vm *v);
/* That worker has gone. */
void settle_frozen(struct daemon *d, struct vm *v);
/* Whoever waited for its end while the VM rests has what was asked for. */
void settle_kept(struct daemon *d, struct vm *v);
/* Reads v->end; frees the worker. from: what was observed before. */
void settle_end(struct daemon *d, struct vm *v, enum observed from);
/* It was never given its START; another takes its place under the same intent. */
void settle_replaced(struct daemon *d, struct vm *v);
