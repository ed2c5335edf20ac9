/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/ready.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/decide/lifecycle.h"
#include "daemon/decide/pair.h"
#include "daemon/store/event.h"
#include "daemon/timer.h"
#include "daemon/vm/action.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/worker/worker.h"

enum { RETRY_MS = 1000 };

bool ready_is(const struct vm *v)
{
	return v->row.observed == OBSERVED_PREPARING || v->row.observed == OBSERVED_READY;
}

bool ready_waits(const struct vm *v)
{
	return v->row.observed == OBSERVED_SAFE && v->row.desired == DESIRED_STOPPED &&
	       v->row.restart_at_ms;
}

/* --- when --- */

static int on_due(sd_event_source *s, uint64_t us, void *arg)
{
	struct vm *v = arg;

	(void)s;
	(void)us;
	timer_clear(&v->prepare);
	if (v->row.restart_at_ms) {
		v->row.restart_at_ms = clock_wall_ms(); /* which may have been set back */
		ledger_vm(v->d, v);
	}
	pair_step(v->d);
	return 0;
}

static void look_again(struct vm *v, int64_t wall_ms)
{
	int64_t most_ms = v->policy.restart_delay_max_ms, wait_ms = wall_ms - clock_wall_ms();

	wait_ms = wait_ms < 0 ? 0 : wait_ms < most_ms ? wait_ms : most_ms;
	timer_set(v->d->loop, &v->prepare, (uint64_t)wait_ms, on_due, v);
}

/* As for a start the intent is on the disk first; nobody wishes it to run. */
static void prepare(struct daemon *d, struct vm *v)
{
	struct err e;
	const struct lifecycle_step *s = lifecycle_find(v->row.observed, VM_EVENT_PREPARE, &e);
	struct record next = v->row;
	struct event ev =
		event_make(JOURNAL_PREPARING, v->row.name,
			   "being assembled to be held ready, revision %" PRId64, v->row.revision);

	if (!s || v->is_unfenced || hostsafe_must_not(d, &e) < 0)
		return;
	if (v->dump) {
		look_again(v, clock_wall_ms() + RETRY_MS);
		return;
	}
	vm_observe(&next, s->to, d->boot);
	next.desired = DESIRED_STOPPED;
	record_renew(&next);
	if (ledger_intend(d, &next, &ev, &e) < 0) {
		look_again(v, clock_wall_ms() + RETRY_MS);
		return;
	}
	v->row = next;
	v->turn = TURN_NONE;
	v->request = 0;
	v->operation = 0;
	timer_clear(&v->restart);
	timer_clear(&v->prepare);
	action_run(s, d, v);
}

void ready_end(struct daemon *d, struct vm *v)
{
	if (ready_is(v)) {
		life_observe(d, v, VM_EVENT_STAND_DOWN);
	} else if (ready_waits(v)) {
		v->row.restart_at_ms = 0;
		timer_clear(&v->prepare);
		ledger_vm(d, v);
	}
}

static struct pair_reserve reserve_of(const struct vm *primary, const struct vm *active,
				      const struct vm *v)
{
	int64_t at_ms = v->row.restart_at_ms;

	return (struct pair_reserve){
		.is_warm = primary->policy.standby_warm && v->cold_revision != v->row.revision,
		.is_settled = primary->row.pair == pair_settled(primary->row.pair),
		.is_needed = active->row.desired != DESIRED_STOPPED,
		.is_free = active->row.observed == OBSERVED_RUNNING ||
			   active->row.observed == OBSERVED_PAUSED,
		.is_old = v->row.running_revision != v->row.revision,
		.has_worker = v->worker != NULL,
		.is_due = at_ms && at_ms <= clock_wall_ms(),
		.observed = v->row.observed,
	};
}

void ready_step(struct daemon *d, struct vm *primary, struct vm *partner)
{
	bool is_primarys = pair_is_primarys(primary->row.pair);
	struct vm *active = is_primarys ? primary : partner, *v = is_primarys ? partner : primary;
	const struct pair_reserve r = reserve_of(primary, active, v);

	switch (pair_reserve(&r)) {
	case PAIR_PREPARE:
		if (!v->prepare)
			prepare(d, v);
		break;
	case PAIR_STAND_DOWN: ready_end(d, v); break;
	case PAIR_LEAVE:
		if (!r.is_warm && r.is_settled)
			ready_end(d, v);
		else if (ready_waits(v) && !r.is_due && !v->prepare)
			look_again(v, v->row.restart_at_ms);
		break;
	}
	if (r.is_settled)
		ready_end(d, active); /* its start was called off */
}

/* --- how --- */

bool ready_may_be(struct vm *v, struct worker *w)
{
	struct event ev;

	for (uint32_t i = 0; i < w->n_wants; i++) {
		const struct msg_want *x = &w->want[i];

		if (want_warm(x) != WANT_WARM_ONCE)
			continue;
		snprintf(v->row.reason, sizeof v->row.reason,
			 "kept cold, though standby_warm of its pair is true: line %u (%s): "
			 "'%.120s' cannot be had by two VMs at once",
			 x->line, x->option, x->path);
		ev = event_make(JOURNAL_COLD, v->row.name, "%s", v->row.reason);
		ledger_event(v->d, &ev);
		v->cold_revision = v->row.running_revision;
		life_observe(v->d, v, VM_EVENT_STAND_DOWN);
		return false;
	}
	return true;
}

void ready_note(struct daemon *d, struct vm *v)
{
	struct event ev = event_make(JOURNAL_READY, v->row.name,
				     "its machine stands before its first instruction, process %d",
				     v->worker->process.pid);

	timer_clear(&v->deadline);
	v->row.reason[0] = '\0';
	ledger_vm(d, v);
	ledger_event(d, &ev);
	watch_begin(d, v, clock_mono_ms());
}

void ready_claim(struct daemon *d, struct vm *v)
{
	struct err e;

	v->spawned_ms = clock_mono_ms();
	action_set_deadline(d, v, v->running.start_timeout_ms);
	if (v->worker->late.n == 0)
		ready_enter(v);
	else if (opening_claim(v->worker, &e) < 0)
		worker_fence(v->worker, CAUSE_RESOURCE, &e);
}

/* What it was assembled with is no longer what a start would find: then this is one from nothing. */
void ready_claimed(struct vm *v, const struct err *why)
{
	struct event ev;

	if (v->row.observed != OBSERVED_STARTING)
		return; /* it is being ended */
	if (!why) {
		ready_enter(v);
	} else if (why->code == ERR_STALE) {
		ev = event_make(JOURNAL_COLD, v->row.name,
				"it is started from nothing, not from where it was held: %s",
				why->msg);
		ledger_event(v->d, &ev);
		v->worker->is_replaced = true;
		worker_fence(v->worker, CAUSE_KILLED, NULL);
	} else {
		worker_fence(v->worker, CAUSE_RESOURCE, why);
	}
}

void ready_enter(struct vm *v)
{
	struct worker *w = v->worker;

	/* The lock is on the worker's own description by now: nobody else is to hold it up. */
	late_drop(&w->late, &v->d->keep, v->row.name, (uint64_t)v->row.generation);
	late_free(&w->late);
	if (v->row.desired == DESIRED_PAUSED)
		worker_hold(w, WORKER_HOLD_PAUSE);
	worker_start(w);
}
