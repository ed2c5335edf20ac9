/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that outlive the supervisor, instead of daemon/keep and daemon/vm/adopt.c: whoever has
 * entered its guest is there for the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/store/event.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/life.h"
#include "daemon/worker/worker.h"
#include "tests/sim/world.h"

void keep_put(struct keep *k, const struct msg_keep *key, const void *note, size_t bytes, int fd)
{
	(void)k;
	(void)key;
	(void)note;
	(void)bytes;
	(void)fd;
}

void keep_drop(struct keep *k, const struct msg_drop *what)
{
	(void)k;
	(void)what;
}

void adopt_keep(struct vm *v)
{
	((struct talker *)v->worker)->is_kept = true;
}

void adopt_drop(struct daemon *d, const char *vm, uint64_t generation, uint64_t tag)
{
	(void)d;
	(void)vm;
	(void)generation;
	(void)tag;
}

void adopt_tell(struct vm *v)
{
	struct event ev = event_make(JOURNAL_ADOPTED, v->row.name, "it is supervised again");

	ledger_event(v->d, &ev);
}

static struct worker *survivor(const struct vm *v)
{
	for (unsigned i = 0; i < world.n_workers; i++)
		if (!strcmp(world.worker[i]->vm, v->row.name) &&
		    ((struct talker *)world.worker[i])->generation == v->row.generation)
			return world.worker[i];
	return NULL;
}

enum reconcile_worker adopt_look(struct vm *v, struct recall *r)
{
	(void)r;
	return survivor(v) ? RECONCILE_KEPT : RECONCILE_GONE;
}

void adopt_take(struct vm *v, struct recall *r)
{
	(void)r;
	v->worker = survivor(v);
	v->worker->d = v->d;
	v->worker->arg = v;
	v->worker->was_adopted = true;
	v->worker->holders = v->row.observed == OBSERVED_PAUSED ? WORKER_HOLD_PAUSE
			     : v->row.observed == OBSERVED_SAFE ? WORKER_HOLD_FAULT
								: 0;
	v->worker->held = v->worker->hold;
	v->row.pid = v->worker->process.pid;
	v->row.pid_start = v->worker->process.start;
	ledger_vm(v->d, v);
	v->spawned_ms = clock_mono_ms() - (uint64_t)(clock_wall_ms() - v->row.since_ms);
	v->worker->is_held_back = v->row.observed == OBSERVED_READY;
	((struct talker *)v->worker)->is_claiming = false;
	if (v->row.observed != OBSERVED_READY && v->row.observed != OBSERVED_STARTING)
		late_free(&v->worker->late);
	life_resume(v->d, v);
	/* Its answer says so. */
	if (!((struct talker *)v->worker)->is_given_start) {
		v->worker->owner->ready(v->worker, v);
	} else if (v->row.observed == OBSERVED_STARTING) {
		v->worker->phase = WORKER_RUNS;
		v->worker->owner->started(v->worker, v);
	}
	v->worker->owner->adopted(v->worker, v);
}

/* Only where the end was written and the worker is still there: of whom has a guest, never. */
void adopt_sift(struct daemon *d, struct recall *r)
{
	(void)r;
	for (unsigned i = world.n_workers; i-- > 0;) {
		struct worker *w = world.worker[i];
		const struct vm *v = vm_find(&d->vms, w->vm);

		WORLD_MUST(v);
		if (v->worker == w)
			continue;
		WORLD_MUST(!((struct talker *)w)->is_given_start);
		world_forget(w);
		worker_free(w);
	}
}

void world_bury(void)
{
	/* A worker whose guest was not entered ends with its link, but for one that was held ready. */
	for (unsigned i = world.n_workers; i-- > 0;)
		if ((world.worker[i]->phase < WORKER_RUNS &&
		     !((struct talker *)world.worker[i])->is_kept) ||
		    world.worker[i]->fenced != CAUSE_NONE) {
			struct worker *w = world.worker[i];

			world_forget(w);
			worker_free(w);
		}
}
