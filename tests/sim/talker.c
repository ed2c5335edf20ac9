/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that are only talk, instead of daemon/worker/worker.c, opening.c and grant.c: what the supervisor asks of them, and
 * what they do when the scene or the storm says so.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/sandbox.h"
#include "base/str.h"
#include "daemon/worker/grant.h"
#include "daemon/worker/worker.h"
#include "tests/sim/law.h"
#include "tests/sim/world.h"

static struct blackbox box;
static struct blackbox_exit exits[BLACKBOX_EXITS];
static char rings[BLACKBOX_LOG + BLACKBOX_CONSOLE];

int worker_spawn(struct daemon *d, const struct worker_spec *s, struct worker **ret, struct err *e)
{
	struct talker *t = calloc(1, sizeof *t);
	struct worker *w = &t->w;
	struct vm *v = s->arg;

	WORLD_MUST(t);
	WORLD_MUST(s->is_held_back || v->row.desired != DESIRED_STOPPED);
	WORLD_MUST(!v->worker);
	WORLD_MUST(d->hostsafe.reason == GROUND_HOLDS);
	law_of_spawn(v, s->is_held_back);
	for (unsigned i = 0; i < world.n_workers; i++)
		WORLD_MUST(strcmp(world.worker[i]->vm, s->vm) != 0);
	if (world.is_start_refused) {
		free(t);
		return err_set(e, RESOURCE, "the host has no more processes");
	}
	t->generation = v->row.generation;
	w->is_held_back = s->is_held_back;
	world_disks(w);
	w->d = d;
	w->owner = s->owner;
	w->arg = s->arg;
	w->freezes = s->freezes;
	w->process = (struct process){
		.pid = (pid_t)(1000 + world.n_spawns), .fd = -1, .start = world.n_spawns};
	str_copy(w->vm, sizeof w->vm, s->vm);
	w->box = (struct blackbox_map){
		.box = &box, .exit = exits, .log = rings, .console = rings + BLACKBOX_LOG};
	WORLD_MUST(world.n_workers < WORLD_WORKERS);
	world.worker[world.n_workers++] = w;
	world.n_spawns++;
	*ret = w;
	return 0;
}

void world_forget(struct worker *w)
{
	for (unsigned i = 0; i < world.n_workers; i++)
		if (world.worker[i] == w)
			world.worker[i] = world.worker[--world.n_workers];
}

struct worker *worker_free(struct worker *w)
{
	if (w)
		late_free(&w->late);
	free(w);
	return NULL;
}

void worker_fence(struct worker *w, enum cause cause, const struct err *why)
{
	if (w->fenced != CAUSE_NONE)
		return;
	w->fenced = cause;
	if (why)
		w->why = *why;
}

void worker_cut(struct worker *w, enum cause cause)
{
	w->cut = cause;
}

void worker_start(struct worker *w)
{
	law_of_start(w->arg);
	w->is_held_back = false;
	((struct talker *)w)->is_given_start = true;
}

/* Of one that is held back its disk is locked late. */
void world_disks(struct worker *w)
{
	if (!w->is_held_back)
		return;
	w->late = (struct late){.item = calloc(1, sizeof *w->late.item), .n = 1};
	WORLD_MUST(w->late.item);
	w->late.item->fd = -1;
}

int opening_claim(struct worker *w, struct err *e)
{
	(void)e;
	WORLD_MUST(w->late.n && !((struct talker *)w)->is_given_start);
	((struct talker *)w)->is_claiming = true;
	return 0;
}

void worker_button(struct worker *w)
{
	((struct talker *)w)->is_pressed = true;
}

bool worker_hold(struct worker *w, uint32_t holder)
{
	if (!w->holders)
		w->hold++;
	w->holders |= holder;
	return !worker_is_held(w);
}

void worker_release(struct worker *w, uint32_t holder)
{
	w->holders &= ~holder;
}

bool worker_is_held(const struct worker *w)
{
	return w->holders && w->held == w->hold;
}

void worker_nmi(struct worker *w)
{
	(void)w;
}

void worker_words(struct worker *w, char *ret, size_t cap)
{
	(void)w;
	str_copy(ret, cap, "");
}

void grant_wants(struct vm *v, struct worker *w)
{
	(void)v;
	(void)w;
}

void grant_refused(struct worker *w, const struct msg_want *want, const struct err *why)
{
	(void)w;
	(void)want;
	(void)why;
}

void grant_opened(struct vm *v, struct worker *w)
{
	(void)v;
	(void)w;
}

const struct msg_want *opening_pending(const struct worker *w)
{
	(void)w;
	return NULL;
}

bool world_worker_starts(struct worker *w)
{
	struct talker *t = (struct talker *)w;

	if (w->phase >= WORKER_RUNS || w->fenced != CAUSE_NONE)
		return false;
	if (w->phase < WORKER_ENTERS) {
		w->sandbox = SANDBOX_ALL;
		w->phase = WORKER_ENTERS;
		w->owner->ready(w, w->arg);
	} else if (!t->is_given_start) {
		return false;
	}
	if (!t->is_given_start)
		return true;
	w->phase = WORKER_RUNS;
	w->owner->started(w, w->arg);
	return true;
}

bool world_worker_claims(struct worker *w, const struct err *why)
{
	struct talker *t = (struct talker *)w;

	if (!t->is_claiming || w->fenced != CAUSE_NONE)
		return false;
	t->is_claiming = false;
	w->owner->claimed(w, why, w->arg);
	return true;
}

bool world_worker_stands(struct worker *w)
{
	if (w->phase != WORKER_RUNS || w->fenced != CAUSE_NONE || !w->holders || w->held == w->hold)
		return false;
	w->held = w->hold;
	w->owner->held(w, w->arg);
	return true;
}

static void end(struct worker *w, struct ending_evidence *ev)
{
	ev->fenced = w->fenced;
	ev->cut = w->cut;
	ev->was_alone = w->was_adopted;
	ev->forbidden = -1;
	w->ending = ending_judge(ev);
	world_forget(w);
	w->owner->ended(w, w->arg);
}

bool world_worker_faults(struct worker *w, enum cause cause)
{
	if (w->phase != WORKER_RUNS || w->fenced != CAUSE_NONE || w->is_frozen ||
	    !cause_can_freeze(cause) || !(w->freezes & 1u << cause_class(cause)))
		return false;
	w->said = (struct msg_ended){.cause = cause};
	w->is_frozen = true;
	w->owner->fault(w, w->arg);
	return true;
}

void world_worker_says(struct worker *w, enum cause cause)
{
	int status = cause_exit(cause) >= 0 ? cause_exit(cause) : 1;

	end(w, &(struct ending_evidence){.code = CLD_EXITED,
					 .status = status,
					 .has_said = true,
					 .said_cause = cause,
					 .said_exit = (uint32_t)status});
}

void world_worker_dies(struct worker *w, int signal)
{
	end(w, &(struct ending_evidence){.code = CLD_KILLED, .status = signal});
}

bool world_worker_obeys(struct worker *w)
{
	if (w->fenced != CAUSE_NONE)
		world_worker_dies(w, SIGKILL);
	else if (w->cut != CAUSE_NONE)
		world_worker_says(w, w->cut);
	else if (((struct talker *)w)->is_pressed)
		world_worker_says(w, CAUSE_POWEROFF);
	else
		return false;
	return true;
}
