/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/life.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/str.h"
#include "daemon/vm/action.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/dump.h"
#include "daemon/vm/pair.h"
#include "daemon/vm/ready.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/worker/grant.h"
#include "daemon/store/operation.h"
#include "daemon/timer.h"
#include "daemon/vm/settle.h"
#include "daemon/worker/worker.h"

enum { STORE_RETRY_MS = 1000 };

/* What a verb says about the wish, beside where the table leads. */
static void wish(struct vm *v, struct record *next, enum vm_event verb)
{
	switch (verb) {
	case VM_EVENT_START:
		next->desired = DESIRED_RUNNING;
		if (next->observed == OBSERVED_STARTING && v->row.observed != next->observed)
			next->restarts = 0;
		break;
	case VM_EVENT_PAUSE: next->desired = DESIRED_PAUSED; break;
	case VM_EVENT_RESUME: next->desired = DESIRED_RUNNING; break;
	case VM_EVENT_STOP:
	case VM_EVENT_KILL:
	case VM_EVENT_RELEASE:
		next->desired = DESIRED_STOPPED;
		next->restart_at_ms = 0;
		if (verb == VM_EVENT_RELEASE)
			record_no_health(next);
		break;
	default: break;
	}
}

static bool is_spawn(const struct lifecycle_step *s)
{
	return s->to == OBSERVED_STARTING && s->from != OBSERVED_STARTING;
}

/* The event that a change of the observed column is, if it is one. */
static bool change_event(const struct vm *v, const struct lifecycle_step *s,
			 const struct record *next, struct event *ret)
{
	if (s->event == VM_EVENT_BUTTON || s->event == VM_EVENT_NMI)
		*ret = event_make(JOURNAL_SIGNALLED, v->row.name, "%s",
				  s->event == VM_EVENT_BUTTON
					  ? "its power button is pressed"
					  : "a non-maskable interrupt is sent to its boot vCPU");
	else if (s->event == VM_EVENT_RESET_BUDGET)
		*ret = event_make(JOURNAL_BUDGET_RESET, v->row.name,
				  "%" PRIu32 " charged restarts are forgotten", v->history.charged);
	else if (s->from == s->to)
		return false;
	else if (s->from == OBSERVED_PAUSED && s->to == OBSERVED_RUNNING)
		*ret = event_make(JOURNAL_RESUMED, v->row.name, "its vCPUs go on");
	else if (s->from == OBSERVED_READY && s->to == OBSERVED_STARTING)
		*ret = event_make(JOURNAL_STARTING, v->row.name,
				  "starting from where it was held ready, revision %" PRId64,
				  next->running_revision);
	else if (s->to == OBSERVED_STARTING)
		*ret = event_make(JOURNAL_STARTING, v->row.name, "starting, revision %" PRId64 "%s",
				  next->revision, s->event == VM_EVENT_START ? "" : ", by policy");
	else if (s->to == OBSERVED_STOPPING)
		*ret = event_make(JOURNAL_STOPPING, v->row.name, "%s",
				  s->event == VM_EVENT_KILL ? "killing its worker" : "stopping");
	else if (s->event == VM_EVENT_RELEASE)
		*ret = event_make(JOURNAL_RELEASED, v->row.name, "released from its safe state");
	else
		return false;
	return true;
}

/* Is the verb's aim reached with the step itself? */
static bool is_done(const struct vm *v, const struct lifecycle_step *s)
{
	switch (s->event) {
	case VM_EVENT_START: return s->to == OBSERVED_RUNNING;
	case VM_EVENT_STOP:
	case VM_EVENT_KILL:
	case VM_EVENT_RELEASE:
		if (s->to == OBSERVED_PREPARING || s->to == OBSERVED_READY)
			return true; /* no guest runs in it */
		return !v->worker && (s->to == OBSERVED_STOPPED || s->to == OBSERVED_SAFE);
	case VM_EVENT_PAUSE: return s->to == OBSERVED_PAUSED;
	default: return true;
	}
}

/* What is done at once was there already, but for what acts in no time. */
static const char *idle_phase(const struct vm *v, const struct lifecycle_step *s)
{
	switch ((unsigned)s->event) {
	case VM_EVENT_START: return "running already";
	case VM_EVENT_RESUME:
		return s->from == OBSERVED_RUNNING && v->row.desired == DESIRED_RUNNING
			       ? "running already"
			       : "";
	case VM_EVENT_PAUSE: return "paused already";
	case VM_EVENT_STOP:
	case VM_EVENT_KILL: return "not running";
	default: return "";
	}
}

static const char *phase_of(const struct vm *v, const struct lifecycle_step *s)
{
	if (s->event == VM_EVENT_RELEASE && s->from != OBSERVED_SAFE)
		return "was not safe";
	if (s->event == VM_EVENT_START && s->from == OBSERVED_PAUSED)
		return "resumed";
	if (s->event == VM_EVENT_BUTTON)
		return "pressed";
	if (is_done(v, s))
		return idle_phase(v, s);
	if (s->event == VM_EVENT_STOP && s->to == OBSERVED_STOPPING && s->from != OBSERVED_STARTING)
		return "pressed";
	return s->event == VM_EVENT_START ? "starting" : s->event == VM_EVENT_PAUSE ? "" : "ending";
}

/* What others may do now. */
static void follow(struct daemon *d)
{
	startup_step(d);
	pair_step(d);
}

int life_command(struct daemon *d, struct vm *v, enum vm_event verb, const struct operation *o,
		 int64_t *ret_operation, struct err *e)
{
	const struct lifecycle_step *s;
	struct record next = v->row;
	struct event ev;
	int64_t id;

	if (verb == VM_EVENT_START && (vm_must_be_fenced(v, e) < 0 || pair_may_run(v, e) < 0))
		return -1;
	s = lifecycle_find(v->row.observed, verb, e);
	if (!s)
		return -1;
	if (is_spawn(s) && hostsafe_must_not(d, e) < 0)
		return -1;
	vm_observe(&next, s->to, d->boot);
	wish(v, &next, verb);
	if (is_spawn(s))
		record_renew(&next);
	if (ledger_begin(d, e) < 0)
		return -1;
	if (operation_insert(&d->store, o, v->row.name,
			     is_done(v, s) ? OPERATION_DONE : OPERATION_RUNNING, phase_of(v, s),
			     &id, e) < 0 ||
	    record_update(&d->store, &next, e) < 0)
		goto undo;
	if (change_event(v, s, &next, &ev)) {
		ev.operation = id;
		ev.request = o->request;
		if (ledger_stage(d, &ev, e) < 0)
			goto undo;
	}
	if (ledger_commit(d, e) < 0)
		return -1;
	v->row = next;
	if (verb <= VM_EVENT_RELEASE)
		v->turn = TURN_NONE; /* an operator's word goes before the order */
	if (next.desired == DESIRED_STOPPED)
		timer_clear(&v->restart); /* of a takeover that could not be written */
	v->operation = id;
	v->request = o->request;
	if ((verb == VM_EVENT_START && is_spawn(s)) ||
	    (verb == VM_EVENT_RELEASE && s->from == OBSERVED_SAFE && !pair_is_active(v)))
		v->history = (struct restart_history){0};
	*ret_operation = id;
	action_run(s, d, v);
	follow(d);
	return 0;
undo:
	ledger_abort(d);
	return -1;
}

void life_observe(struct daemon *d, struct vm *v, enum vm_event what)
{
	struct err e;
	const struct lifecycle_step *s = lifecycle_find(v->row.observed, what, &e);

	if (!s) {
		log_error((&(struct log_about){.vm = v->row.name, .err = &e}),
			  "defect: '%s' in state %s has no row in the lifecycle", vm_event_id(what),
			  observed_id(v->row.observed));
		return;
	}
	vm_observe(&v->row, s->to, d->boot);
	ledger_vm(d, v);
	action_run(s, d, v);
	follow(d);
}

static int on_restart(sd_event_source *s, uint64_t us, void *arg)
{
	struct vm *v = arg;

	(void)s;
	(void)us;
	life_start(v->d, v);
	return 0;
}

void life_start(struct daemon *d, struct vm *v)
{
	struct err e;
	const struct lifecycle_step *s = lifecycle_find(v->row.observed, VM_EVENT_RESTART_DUE, &e);
	struct record next = v->row;
	struct vm *primary;
	struct event ev;

	if (!startup_may_go(v))
		return;
	/* A restart waits for the dump of the guest before: it begins it again. */
	if (!s || v->dump || d->is_ending || v->is_unfenced || v->row.desired == DESIRED_STOPPED ||
	    !pair_is_free(v)) {
		v->turn = TURN_NONE;
		return;
	}
	if (hostsafe_must_not(d, &e) < 0) {
		timer_set(d->loop, &v->restart, STORE_RETRY_MS, on_restart, v);
		return;
	}
	vm_observe(&next, s->to, d->boot);
	if (v->row.restart_at_ms)
		next.restarts++;
	if (v->row.observed != OBSERVED_READY)
		record_renew(&next);
	v->request = 0;
	v->operation = 0;
	change_event(v, s, &next, &ev);
	primary = pair_turn(v);
	if (primary == v)
		next.pair = v->row.pair;
	if (ledger_intend(d, &next, &ev, &e) == 0) {
		v->row = next;
		v->turn = TURN_NONE;
		action_run(s, d, v);
		return;
	}
	pair_turn_back(primary, v);
	if (!d->ledger.is_failing)
		log_error((&(struct log_about){.vm = v->row.name, .err = &e}),
			  "not started while the state cannot be written; tried again: %s", e.msg);
	timer_set(d->loop, &v->restart, STORE_RETRY_MS, on_restart, v);
}

void life_start_in(struct daemon *d, struct vm *v, uint64_t delay_ms)
{
	timer_set(d->loop, &v->restart, delay_ms, on_restart, v);
}

void life_start_at(struct daemon *d, struct vm *v, int64_t wall_ms)
{
	int64_t now_ms = clock_wall_ms();
	uint64_t most_ms = (uint64_t)v->policy.restart_delay_max_ms + RESTART_SPACING_MS;
	uint64_t wait_ms = wall_ms > now_ms ? (uint64_t)(wall_ms - now_ms) : 0;

	/* A wall clock that was set back must not put it off for ever. */
	life_start_in(d, v, wait_ms < most_ms ? wait_ms : most_ms);
}

/* The verb was written down before it was done: do it, once more perhaps. */
static void go_on_stopping(struct daemon *d, struct vm *v)
{
	uint64_t gone_ms = clock_mono_ms() - v->spawned_ms;
	uint64_t most_ms = (uint64_t)v->running.stop_timeout_ms;

	if (operation_is_running(&d->store, v->row.name, OP_vm_kill))
		worker_fence(v->worker, CAUSE_KILLED, NULL);
	else if (v->worker->phase == WORKER_RUNS)
		worker_button(v->worker);
	else
		worker_cut(v->worker, CAUSE_POWER_CUT);
	action_set_deadline(d, v, gone_ms < most_ms ? (int64_t)(most_ms - gone_ms) : 0);
}

void life_resume(struct daemon *d, struct vm *v)
{
	if (v->row.observed == OBSERVED_STARTING)
		action_set_deadline(d, v, v->running.start_timeout_ms);
	else if (v->row.observed == OBSERVED_STOPPING)
		go_on_stopping(d, v);
	watch_begin(d, v, clock_mono_ms());
}

static void on_planned(struct worker *w, void *arg)
{
	if (!w->is_held_back || ready_may_be(arg, w))
		grant_wants(arg, w);
}

static void on_refused(struct worker *w, const struct msg_want *want, const struct err *why,
		       void *arg)
{
	(void)arg;
	grant_refused(w, want, why);
}

static void on_opened(struct worker *w, void *arg)
{
	grant_opened(arg, w);
}

/* The text of a wrong configuration is its first finding. */
static void on_invalid(struct worker *w, void *arg)
{
	const struct diagnostic *f = &w->finding[0];

	(void)arg;
	for (uint32_t i = 0; i < w->n_findings; i++) {
		if (w->finding[i].severity == DIAGNOSTIC_ERROR) {
			f = &w->finding[i];
			break;
		}
	}
	err_set(&w->why, CONFIG, "line %u: %s%s%s", f->line, f->what, f->hint[0] ? "; " : "",
		f->hint);
}

/* Before its guest runs: what runs, or is held ready, can be adopted. */
static void keep(struct vm *v, struct worker *w)
{
	w->note = (struct note_worker){.dialogue = message_fingerprint(),
				       .build = QVM_VERSION,
				       .pid = w->process.pid,
				       .pid_start = w->process.start,
				       .sandbox = w->sandbox,
				       .ram_bytes = v->source.ram_bytes,
				       .plan = w->plan};
	str_copy(w->note.cgroup, sizeof w->note.cgroup, w->cgroup);
	adopt_keep(v);
}

/* One that shall be paused stands before its first instruction; a standby goes no further. One that an earlier
 * supervisor held ready may have its START still to come. */
static void on_ready(struct worker *w, void *arg)
{
	struct vm *v = arg;

	if (!w->was_adopted)
		keep(v, w);
	if (v->row.observed == OBSERVED_PREPARING)
		life_observe(v->d, v, VM_EVENT_READY);
	else if (v->row.observed == OBSERVED_STARTING && w->late.n)
		ready_claim(v->d, v);
	else if (v->row.observed == OBSERVED_STARTING)
		ready_enter(v);
}

static void on_claimed(struct worker *w, const struct err *why, void *arg)
{
	(void)w;
	ready_claimed(arg, why);
}

static void on_started(struct worker *w, void *arg)
{
	struct vm *v = arg;
	char missing[256];

	if (sandbox_missing(w->sandbox, missing, sizeof missing)[0])
		log_warn(&(struct log_about){.vm = v->row.name},
			 "its worker runs without these layers of the sandbox: %s", missing);
	life_observe(v->d, v, VM_EVENT_STARTED);
}

static void on_held(struct worker *w, void *arg)
{
	struct vm *v = arg;

	if (w->holders & (WORKER_HOLD_PAUSE | WORKER_HOLD_FAULT))
		life_observe(v->d, v, VM_EVENT_HELD);
	dump_held(v);
}

/* A stop beats the policy, whichever it is. */
static void on_fault(struct worker *w, void *arg)
{
	struct vm *v = arg;
	struct daemon *d = v->d;

	if (d->is_ending || v->row.desired == DESIRED_STOPPED) {
		str_copy(w->detail, sizeof w->detail, w->said.detail);
		worker_fence(w, w->said.cause, &w->said.err);
		return;
	}
	v->end = (struct vm_end){.ending = {.cause = w->said.cause, .exit_code = -1, .syscall = -1},
				 .err = w->said.err,
				 .noticed_ms = w->noticed_ms};
	str_copy(v->end.detail, sizeof v->end.detail, w->said.detail);
	life_observe(d, v, VM_EVENT_FROZEN);
}

static void on_adopted(struct worker *w, void *arg)
{
	struct vm *v = arg;

	adopt_tell(v);
	/* It was asked to stand: ask again, the answer may have gone to the last supervisor. */
	if (v->row.desired != DESIRED_PAUSED || w->holders & WORKER_HOLD_PAUSE)
		return;
	if (v->row.observed == OBSERVED_RUNNING)
		action_hold(v->d, v);
	else if (v->row.observed == OBSERVED_STARTING)
		worker_hold(w, WORKER_HOLD_PAUSE);
}

/* Whoever is held ready and goes unasked has failed, whatever it says of a guest that it never had. */
static enum vm_event ended_as(struct vm *v)
{
	struct ending *x = &v->end.ending;

	if (!ready_is(v) || x->cause == CAUSE_HOST_SHUTDOWN)
		return cause_is_failure(x->cause) ? VM_EVENT_FAILED : VM_EVENT_ENDED;
	if (!cause_is_failure(x->cause))
		x->cause = CAUSE_WORKER_EXIT;
	return VM_EVENT_FAILED;
}

static void on_ended(struct worker *w, void *arg)
{
	struct vm *v = arg;
	struct daemon *d = v->d;

	peer_leave(&d->peers, v->row.name);
	if (w->is_replaced && v->row.observed == OBSERVED_STARTING && !d->is_ending) {
		settle_replaced(d, v);
		action_go_on(d, v);
		return;
	}
	if (w->holders & WORKER_HOLD_FAULT) { /* its end was settled when it froze */
		settle_frozen(d, v);
		action_go_on(d, v);
		pair_step(d);
		if (d->is_ending)
			daemon_check_end(d);
		return;
	}
	v->end = (struct vm_end){.ending = w->ending,
				 .err = w->why,
				 .noticed_ms = w->noticed_ms,
				 .cpu_ms = w->process.cpu_ms,
				 .peak_bytes = w->process.peak_bytes};
	/* An end in order while the supervisor ends, or the host is made safe, is the host's doing,
	 * whatever the guest says. */
	if (((d->is_ending && !d->is_leaving) || d->hostsafe.stop_stage) &&
	    v->row.desired != DESIRED_STOPPED && !cause_is_failure(w->ending.cause))
		v->end.ending.cause = CAUSE_HOST_SHUTDOWN;
	str_copy(v->end.detail, sizeof v->end.detail, w->detail);
	life_observe(d, v, ended_as(v));
	if (d->is_ending)
		daemon_check_end(d);
}

const struct worker_owner life_owner = {
	.planned = on_planned,
	.refused = on_refused,
	.opened = on_opened,
	.invalid = on_invalid,
	.ready = on_ready,
	.claimed = on_claimed,
	.started = on_started,
	.held = on_held,
	.fault = on_fault,
	.adopted = on_adopted,
	.ended = on_ended,
};
