/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/action.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/vm/dump.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/vm/ready.h"
#include "daemon/store/operation.h"
#include "daemon/vm/settle.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

enum { CUT_GRACE_MS = 2000, STAND_MS = 5000 };

static int on_deadline(sd_event_source *s, uint64_t us, void *arg)
{
	struct vm *v = arg;

	(void)s;
	(void)us;
	life_observe(v->d, v, VM_EVENT_DEADLINE);
	return 0;
}

void action_set_deadline(struct daemon *d, struct vm *v, int64_t ms)
{
	timer_set(d->loop, &v->deadline, (uint64_t)ms, on_deadline, v);
}

static void act_nothing(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)v;
	(void)s;
}

static int spawn(struct daemon *d, struct vm *v, struct err *e)
{
	AUTO(record_text_free) struct record_text t = {0};
	char cgroup[NAME_CAP + 8];
	struct worker_spec spec = {
		.vm = v->row.name,
		.cgroup = cgroup,
		.uid = vm_uid(v),
		.policy = &v->running,
		.heartbeat_ms = (uint64_t)v->running.heartbeat_ms,
		.freezes = restart_freezes(&v->running),
		.ends_with_link = v->running.orphan_timeout_ms != 0,
		.has_ports = true,
		.is_held_back = v->row.observed == OBSERVED_PREPARING,
		.owner = &life_owner,
		.arg = v,
	};

	snprintf(cgroup, sizeof cgroup, "vm-%s", v->row.name);
	if (record_config(&d->store, v->row.id, v->row.running_revision, &t, e) < 0)
		return -1;
	spec.config = t.config;
	spec.bytes = t.bytes;
	spec.folder = t.folder;
	return worker_spawn(d, &spec, &v->worker, e);
}

static void begin(struct daemon *d, struct vm *v)
{
	struct err e;

	v->running = v->policy;
	v->end = (struct vm_end){0};
	v->spawned_ms = clock_mono_ms();
	if (spawn(d, v, &e) < 0) {
		v->end.ending = (struct ending){
			.cause = CAUSE_START_FAILED, .exit_code = -1, .syscall = -1};
		v->end.err = e;
		life_observe(d, v, VM_EVENT_FAILED);
		return;
	}
	v->row.pid = v->worker->process.pid;
	v->row.pid_start = v->worker->process.start;
	ledger_vm(d, v);
	action_set_deadline(d, v, v->running.start_timeout_ms);
}

/* Fence, then start: one that is kept frozen, or was only being prepared, goes first. */
static void act_spawn(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	timer_clear(&v->restart);
	if (v->worker) {
		v->worker->is_replaced = v->worker->is_held_back;
		worker_fence(v->worker, CAUSE_KILLED, NULL);
		action_set_deadline(d, v, v->running.start_timeout_ms);
	} else {
		begin(d, v);
	}
}

static void act_prepare(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	begin(d, v);
}

static void act_note_ready(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	ready_note(d, v);
}

static void act_claim(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	ready_claim(d, v);
}

void action_go_on(struct daemon *d, struct vm *v)
{
	struct err unsafe = {0};

	if (v->row.observed == OBSERVED_STARTING && hostsafe_must_not(d, &unsafe) == 0) {
		begin(d, v);
	} else if (v->row.observed == OBSERVED_STARTING || v->row.observed == OBSERVED_STOPPING) {
		/* What the host's safe state has stopped is started again at its release. */
		v->end = (struct vm_end){
			.ending = {.cause = unsafe.code ? CAUSE_HOST_SHUTDOWN : CAUSE_KILLED,
				   .exit_code = -1,
				   .syscall = -1},
			.err = unsafe};
		life_observe(d, v, VM_EVENT_ENDED);
	}
}

static void end_operations(struct daemon *d, struct vm *v, enum op_id op, const char *phase)
{
	struct operation_change c = {.op = op, .state = OPERATION_DONE, .at_ms = clock_wall_ms()};

	str_copy(c.vm, sizeof c.vm, v->row.name);
	str_copy(c.phase, sizeof c.phase, phase);
	ledger_operation(d, &c);
}

static void note_phase(struct daemon *d, struct vm *v, enum op_id op, const char *phase)
{
	struct operation_change c = {.op = op, .state = OPERATION_RUNNING};

	str_copy(c.vm, sizeof c.vm, v->row.name);
	str_copy(c.phase, sizeof c.phase, phase);
	ledger_operation(d, &c);
}

static struct operation_change pause_failed(const struct vm *v)
{
	struct operation_change c = {
		.op = OP_vm_pause, .state = OPERATION_FAILED, .at_ms = clock_wall_ms()};

	str_copy(c.vm, sizeof c.vm, v->row.name);
	return c;
}

/* Whoever waits for a pause hears what came in between. */
static void end_pause(struct daemon *d, struct vm *v, const char *by)
{
	struct operation_change c = pause_failed(v);

	err_set(&c.err, CONFLICT, "%s of '%s' came before its vCPUs stood", by, v->row.name);
	ledger_operation(d, &c);
}

static void act_note_running(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	uint64_t now_ms = clock_mono_ms();
	struct event ev = event_make(JOURNAL_STARTED, v->row.name,
				     "the guest executes its first instruction, %" PRIu64
				     " ms after the start",
				     now_ms - v->spawned_ms);

	(void)s;
	timer_clear(&v->deadline);
	ev.request = v->request;
	ev.operation = v->operation;
	ledger_event(d, &ev);
	end_operations(d, v, OP_vm_start, "started");
	pair_note_started(d, v);
	if (v->row.desired == DESIRED_PAUSED)
		action_set_deadline(d, v, STAND_MS);
	watch_begin(d, v, now_ms);
}

static void act_fence(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	enum cause cause = s->event == VM_EVENT_KILL	? CAUSE_KILLED
			   : s->to == OBSERVED_STOPPING ? CAUSE_STOP_DEADLINE
							: CAUSE_START_TIMEOUT;
	const struct msg_want *at = opening_pending(v->worker);
	struct err why = {0};

	timer_clear(&v->deadline);
	if (cause == CAUSE_STOP_DEADLINE)
		note_phase(d, v, OP_vm_stop, "killed at the deadline");
	if (cause == CAUSE_START_TIMEOUT && at)
		err_set(&why, TIMEOUT,
			"line %u (%s): '%.160s' had not been opened %" PRId64
			" ms after the start: look at the file system or device it is on",
			at->line, at->option, at->path, v->running.start_timeout_ms);
	else if (cause == CAUSE_START_TIMEOUT)
		err_set(&why, TIMEOUT,
			"'%s' was not running %" PRId64
			" ms after its start: raise start_timeout_ms or look at its log",
			v->row.name, v->running.start_timeout_ms);
	worker_fence(v->worker, cause, &why);
}

static void act_cut(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	worker_cut(v->worker, CAUSE_POWER_CUT);
	action_set_deadline(d, v, CUT_GRACE_MS);
}

static void act_press(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	end_pause(d, v, "a stop");
	worker_release(v->worker, WORKER_HOLD_PAUSE);
	worker_button(v->worker);
	action_set_deadline(d, v, v->running.stop_timeout_ms);
}

void action_hold(struct daemon *d, struct vm *v)
{
	action_set_deadline(d, v, STAND_MS);
	if (!worker_hold(v->worker, WORKER_HOLD_PAUSE))
		life_observe(d, v, VM_EVENT_HELD); /* for a dump it stands already */
}

static void act_hold(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	action_hold(d, v);
}

static void act_note_paused(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	struct event ev = event_make(JOURNAL_PAUSED, v->row.name, "every vCPU stands");

	(void)s;
	timer_clear(&v->deadline);
	ev.request = v->request;
	ev.operation = v->operation;
	ledger_event(d, &ev);
	end_operations(d, v, OP_vm_pause, "paused");
}

static void act_let_go(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	if (s->from != OBSERVED_STARTING) /* whose deadline is another */
		timer_clear(&v->deadline);
	worker_release(v->worker, WORKER_HOLD_PAUSE);
	end_pause(d, v, "a resume");
}

/* Stuck in an exit, the vCPU is the health's affair; the others shall not wait for it. */
static void act_give_up_pause(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	struct operation_change c = pause_failed(v);

	(void)s;
	worker_release(v->worker, WORKER_HOLD_PAUSE);
	v->row.desired = DESIRED_RUNNING;
	ledger_vm(d, v);
	err_set(&c.err, TIMEOUT,
		"a vCPU of '%s' did not come to stand within %d ms, so all go on: look at "
		"`qvmadm status %s`, then try again",
		v->row.name, STAND_MS, v->row.name);
	ledger_operation(d, &c);
}

static void act_button(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	worker_button(v->worker);
}

static void act_nmi(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	worker_nmi(v->worker);
}

static void act_reset_budget(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	v->history = (struct restart_history){0};
}

static void act_settle(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	settle_end(d, v, s->from);
}

/* What is kept to be looked at goes, or comes to no stand and goes, too. */
static void act_thaw(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	timer_clear(&v->restart);
	timer_clear(&v->deadline);
	if (v->worker)
		worker_fence(v->worker, CAUSE_KILLED, NULL);
}

static void act_freeze(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	settle_freeze(d, v);
	action_set_deadline(d, v, STAND_MS);
	if (!worker_hold(v->worker, WORKER_HOLD_FAULT))
		life_observe(d, v, VM_EVENT_HELD);
}

static void act_note_frozen(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	timer_clear(&v->deadline);
	dump_frozen(v);
}

static void act_cancel_restart(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)d;
	(void)s;
	timer_clear(&v->restart);
}

static void act_forget(struct daemon *d, struct vm *v, const struct lifecycle_step *s)
{
	(void)s;
	frontdoor_box_gone(d, v->row.name);
	vm_remove(&d->vms, v);
}

/* In the order of the table's rows: lifecycle_step.row is the index. */
static void (*const acts[])(struct daemon *d, struct vm *v, const struct lifecycle_step *s) = {
#define STEP(from, event, to, action) act_##action,
#include "schemas/lifecycle.def"
#undef STEP
};

void action_run(const struct lifecycle_step *step, struct daemon *d, struct vm *v)
{
	acts[step->row](d, v, step);
}
