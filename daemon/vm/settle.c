/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/store/incident.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/dump.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/store/operation.h"
#include "daemon/worker/process.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

/* One sentence: the cause, and what this case adds to it. */
static void explain(const struct vm_end *end, char *ret, size_t cap)
{
	const struct ending *x = &end->ending;
	char name[48];
	size_t n = 0;

	ret[0] = '\0';
	str_add(ret, cap, &n, "%s", cause_sentence(x->cause));
	if (x->cause == CAUSE_WORKER_SIGNAL)
		str_add(ret, cap, &n, " (%s)", incident_signal(x->signal, name));
	else if (x->cause == CAUSE_FORBIDDEN_SYSCALL && x->syscall >= 0)
		str_add(ret, cap, &n, " (%s)", incident_syscall(x->syscall, name));
	else if (x->cause == CAUSE_WORKER_EXIT && x->exit_code == PROCESS_NO_EXEC)
		str_add(ret, cap, &n, " (its program could not be executed)");
	else if (x->cause == CAUSE_WORKER_EXIT)
		str_add(ret, cap, &n, " (exit status %d)", x->exit_code);
	else if (end->detail[0] && !strstr(cause_sentence(x->cause), end->detail))
		str_add(ret, cap, &n, " (%s)", end->detail);
	if (end->err.code)
		str_add(ret, cap, &n, ": %s", end->err.msg);
}

static int64_t file_incident(struct daemon *d, struct vm *v, const char *reaction)
{
	struct incident *i = calloc(1, sizeof *i);
	char words[4096] = "";

	if (!i)
		abort();
	str_copy(i->vm, sizeof i->vm, v->row.name);
	i->at_ms = clock_wall_ms();
	i->generation = v->row.generation;
	i->revision = v->row.running_revision;
	i->ending = v->end.ending;
	i->err = v->end.err;
	i->noticed_ms = v->end.noticed_ms ? v->end.noticed_ms : i->at_ms;
	i->cpu_ms = v->end.cpu_ms;
	i->peak_bytes = v->end.peak_bytes;
	str_copy(i->sentence, sizeof i->sentence, v->row.reason);
	str_copy(i->detail, sizeof i->detail, v->end.detail);
	str_copy(i->reaction, sizeof i->reaction, reaction);
	if (v->worker)
		worker_words(v->worker, words, sizeof words);
	incident_cut(i, v->worker ? &v->worker->box : &(struct blackbox_map){0}, words,
		     clock_mono_ns());
	return ledger_incident(d, i);
}

static void file_event(struct daemon *d, struct vm *v, enum journal kind, int64_t incident,
		       const char *text)
{
	struct event ev = event_make(kind, v->row.name, "%s", text);

	ev.cause = v->end.ending.cause;
	ev.incident = incident;
	ev.generation = v->row.generation;
	ev.signal = v->end.ending.signal;
	ev.syscall = v->end.ending.syscall;
	ev.request = v->request;
	ev.operation = v->operation;
	ledger_event(d, &ev);
}

static struct err why_not(const struct vm *v, bool is_pause)
{
	struct err e;

	if (v->end.err.code)
		return v->end.err;
	if (cause_is_failure(v->end.ending.cause))
		err_set(&e, WORKER, "'%s' did not %s: %s", v->row.name,
			is_pause ? "come to stand" : "start", v->row.reason);
	else
		err_set(&e, CONFLICT, "'%s' ended before its guest %s: %s", v->row.name,
			is_pause ? "stood" : "ran", v->row.reason);
	return e;
}

static void end_operations(struct daemon *d, const struct vm *v, enum op_id op,
			   enum operation_state state, const char *phase)
{
	struct operation_change c = {.op = op, .state = state, .at_ms = clock_wall_ms()};

	str_copy(c.vm, sizeof c.vm, v->row.name);
	str_copy(c.phase, sizeof c.phase, phase);
	if (state == OPERATION_FAILED)
		c.err = why_not(v, op == OP_vm_pause);
	ledger_operation(d, &c);
}

/* Whoever waited for a start hears why there is none; a stop has reached its aim. */
static void close_operations(struct daemon *d, struct vm *v)
{
	const char *phase = "guest off";
	struct err why = why_not(v, false);

	if (v->end.ending.cause == CAUSE_STOP_DEADLINE)
		phase = "killed at the deadline";
	else if (v->end.ending.cause != CAUSE_POWEROFF)
		phase = cause_id(v->end.ending.cause);
	end_operations(d, v, OP_vm_start, OPERATION_FAILED, "");
	end_operations(d, v, OP_vm_pause, OPERATION_FAILED, "");
	end_operations(d, v, OP_vm_stop, OPERATION_DONE, phase);
	end_operations(d, v, OP_vm_kill, OPERATION_DONE, phase);
	pair_note_failed(d, v, &why);
}

static void follow(struct daemon *d, struct vm *v, const struct restart_decision *next,
		   const struct restart_case *c, const char *reaction)
{
	if (next->verdict == RESTART_GIVE_UP)
		file_event(d, v, JOURNAL_CRASH_LOOP, 0, reaction);
	if (next->verdict == RESTART_TAKEOVER)
		pair_fail_over(d, v);
	if (next->verdict != RESTART_AGAIN)
		return;
	v->row.restart_at_ms = clock_wall_ms() + (int64_t)next->delay_ms;
	/* One that is due when the supervisor ends is the next supervisor's. */
	if (d->is_ending)
		return;
	file_event(d, v, JOURNAL_RESTART, 0, reaction);
	if (c->is_reserve)
		return; /* ready_step() */
	if (v->end.ending.cause == CAUSE_HOST_LOST || v->end.ending.cause == CAUSE_SUPERVISOR_LOST)
		startup_queue(v); /* all that ran start again together, in order */
	else
		life_start_at(d, v, v->row.restart_at_ms);
}

/* What an end and a freeze have in common. */
static void settle(struct daemon *d, struct vm *v, bool is_frozen, bool is_reserve)
{
	uint64_t now_ms = clock_mono_ms();
	const struct vm *partner = pair_partner(v);
	struct restart_case c = {.cause = v->end.ending.cause,
				 .desired = v->row.desired,
				 .policy = &v->running,
				 .uptime_ms = now_ms - v->spawned_ms,
				 .now_ms = now_ms,
				 .standby = partner ? partner->row.name : NULL,
				 .is_frozen = is_frozen,
				 .is_reserve = is_reserve};
	struct restart_decision next = restart_decide(&c, &v->history);
	bool is_safe = v->row.observed == OBSERVED_SAFE;
	struct health_verdict health = health_of_end(c.cause, is_safe);
	int64_t incident = 0;
	char reaction[256];

	timer_clear(&v->deadline);
	restart_sentence(&next, &c, reaction, sizeof reaction);
	v->row.cause = c.cause;
	record_health(&v->row, &health);
	explain(&v->end, v->row.reason, sizeof v->row.reason);
	if (is_safe || cause_is_failure(c.cause))
		incident = file_incident(d, v, reaction);
	file_event(d, v, is_safe ? JOURNAL_SAFE : JOURNAL_ENDED, incident, v->row.reason);
	follow(d, v, &next, &c, reaction);
	close_operations(d, v);
}

static void forget_worker(struct daemon *d, struct vm *v)
{
	dump_at_end(v);
	if (v->worker)
		late_drop(&v->worker->late, &d->keep, v->row.name, (uint64_t)v->row.generation);
	ledger_forget(d, v->row.name, v->row.generation);
	v->row.pid = 0;
	v->row.pid_start = 0;
	v->row.cgroup[0] = v->row.limits[0] = '\0';
	v->worker = worker_free(v->worker);
	ledger_vm(d, v);
}

/* A standby is held ready no longer: no guest has ended. */
static void settle_stood_down(struct daemon *d, struct vm *v)
{
	struct event ev = event_make(JOURNAL_STOOD_DOWN, v->row.name, "it is held ready no longer");

	timer_clear(&v->deadline);
	record_no_health(&v->row);
	if (!v->row.reason[0])
		explain(&v->end, v->row.reason, sizeof v->row.reason);
	ledger_event(d, &ev);
	close_operations(d, v);
	settle_kept(d, v);
	forget_worker(d, v);
}

void settle_end(struct daemon *d, struct vm *v, enum observed from)
{
	bool is_reserve = from == OBSERVED_PREPARING || from == OBSERVED_READY;

	if (v->row.observed == OBSERVED_STOPPED && v->worker && v->worker->is_held_back &&
	    !pair_is_active(v)) {
		settle_stood_down(d, v);
		return;
	}
	settle(d, v, false, is_reserve);
	forget_worker(d, v);
}

/* The keeper hears at once: the next one has the same generation. */
void settle_replaced(struct daemon *d, struct vm *v)
{
	late_drop(&v->worker->late, &d->keep, v->row.name, (uint64_t)v->row.generation);
	adopt_drop(d, v->row.name, (uint64_t)v->row.generation, KEEP_TAG_WORKER);
	v->row.pid = 0;
	v->row.pid_start = 0;
	v->worker = worker_free(v->worker);
}

void settle_freeze(struct daemon *d, struct vm *v)
{
	settle(d, v, true, false);
	ledger_vm(d, v);
}

void settle_kept(struct daemon *d, struct vm *v)
{
	static const enum op_id waiting[] = {OP_vm_stop, OP_vm_kill, OP_vm_release};

	for (size_t i = 0; i < NELEMS(waiting); i++)
		end_operations(d, v, waiting[i], OPERATION_DONE, "");
}

void settle_frozen(struct daemon *d, struct vm *v)
{
	struct event ev = event_make(JOURNAL_THAWED, v->row.name,
				     "the worker that was kept to be looked at has ended");

	timer_clear(&v->deadline);
	ledger_event(d, &ev);
	settle_kept(d, v);
	forget_worker(d, v);
}
