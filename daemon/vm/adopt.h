/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adopt.h - a VM that outlives its supervisor: what of it is kept (daemon/keep), and how a new
 * supervisor goes on with it. Supervisor; called by life.c, settle.c and, at the start, recover.c.
 *
 * Everything that can be talked to is adopted, even a worker that has ended meanwhile: its end is then
 * told and judged like any other, from its black box.
 */
#pragma once

#include <stdint.h>

#include "daemon/decide/reconcile.h"

struct daemon;
struct recall;
struct vm;

/* Everything of the present worker, under the VM's name. */
void adopt_keep(struct vm *v);
/* Its end is written: forget it. tag: of keep.h. */
void adopt_drop(struct daemon *d, const char *vm, uint64_t generation, uint64_t tag);
/* What is there of the worker that the row names. */
enum reconcile_worker adopt_look(struct vm *v, struct recall *r);
/* Go on with it; also with one that cannot be talked to, which is left running. */
void adopt_take(struct vm *v, struct recall *r);
/* The worker has answered. */
void adopt_tell(struct vm *v);
/* What nobody took: of VMs that have ended, or that nobody knows. */
void adopt_sift(struct daemon *d, struct recall *r);
