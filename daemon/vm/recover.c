/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/recover.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/host.h"
#include "daemon/keep/recall.h"
#include "daemon/store/operation.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/vm/settle.h"
#include "daemon/worker/process.h"
#include "daemon/decide/reconcile.h"

enum { GRACE_MS = 1000, KILL_MS = 5000 };

/* A worker of the last supervisor that is still there and shall not be. */
struct orphan {
	struct vm *vm;
	struct process process;
};

static void replay(void *arg, enum cause cause, int64_t at_ms)
{
	struct vm *v = arg;
	uint64_t age_ms = (uint64_t)(clock_wall_ms() - at_ms);

	/* Before this boot's zero it wraps, and so does the difference that is taken of it. */
	restart_replay(&v->history, &v->policy, cause, clock_mono_ms() - age_ms);
}

static int load(void *arg, const struct record *r, struct err *e)
{
	struct daemon *d = arg;
	struct vm *v = vm_add(&d->vms, d, r);

	/* Written before there was the column: the clock must do. */
	if (!v->row.boot[0] && v->row.since_ms >= host_boot_ms())
		str_copy(v->row.boot, sizeof v->row.boot, d->boot);
	if (record_policy(&d->store, r->id, r->revision, &v->policy, e) < 0)
		return err_wrap(e, "read the policy of '%s'", r->name);
	if (record_running(&d->store, r, &v->policy, &v->running, e) < 0)
		return -1;
	return event_restarts(&d->store, r->name, replay, v, e);
}

int recover_load(struct daemon *d, struct err *e)
{
	return record_each(&d->store, load, d, e);
}

/* Wait until all are gone or the time is over; closes and drops those that are gone. */
static size_t wait_for(struct orphan *o, size_t n, uint64_t most_ms)
{
	uint64_t end_ms = clock_mono_ms() + most_ms, now_ms;

	while (n && (now_ms = clock_mono_ms()) < end_ms) {
		struct pollfd p = {.fd = o[n - 1].process.fd, .events = POLLIN};

		if (poll(&p, 1, (int)(end_ms - now_ms)) != 1)
			break;
		close(p.fd);
		n--;
	}
	return n;
}

/* Workers whose guest was not entered end themselves when their link closes; or are ended here. */
static void fence(struct orphan *o, size_t n)
{
	n = wait_for(o, n, GRACE_MS);
	for (size_t i = 0; i < n; i++)
		process_kill(&o[i].process);
	n = wait_for(o, n, KILL_MS);
	for (size_t i = 0; i < n; i++) {
		o[i].vm->is_unfenced = true;
		close(o[i].process.fd);
	}
}

/* Before its guest ran it ended with its supervisor: no fault of its own. */
static enum cause loss_of(const struct record *r, const char *boot)
{
	if (strcmp(r->boot, boot) != 0)
		return CAUSE_HOST_LOST;
	return r->observed == OBSERVED_STARTING ? CAUSE_SUPERVISOR_LOST : CAUSE_WORKER_LOST;
}

static void explain_loss(struct daemon *d, struct vm *v)
{
	int64_t pid = v->row.pid;

	v->end = (struct vm_end){
		.ending = {.cause = loss_of(&v->row, d->boot), .exit_code = -1, .syscall = -1}};
	if (v->is_unfenced)
		err_set(&v->end.err, WORKER,
			"its worker, process %" PRId64
			", could not be ended: it is not started again; end that process, then "
			"start qvmd anew",
			pid);
	life_observe(d, v, VM_EVENT_FAILED);
	if (v->is_unfenced)
		v->row.pid = pid;
}

/* Of one that could not be ended the row was left to remember it. */
static void forget_process(struct daemon *d, struct vm *v)
{
	v->row.pid = 0;
	v->row.pid_start = 0;
	v->row.cgroup[0] = v->row.limits[0] = '\0';
	ledger_vm(d, v);
}

static void follow(struct daemon *d, struct vm *v, enum reconcile_verdict verdict)
{
	switch (verdict) {
	case RECONCILE_LEAVE:
	case RECONCILE_ADOPT: break;
	case RECONCILE_LOST: explain_loss(d, v); break;
	case RECONCILE_UNREADY:
		vm_observe(&v->row, OBSERVED_STOPPED, d->boot);
		if (!v->is_unfenced)
			forget_process(d, v);
		ledger_vm(d, v);
		break;
	case RECONCILE_START:
		if (!pair_is_active(v))
			break;
		if (v->row.desired == DESIRED_STOPPED)
			v->row.desired = DESIRED_RUNNING;
		ledger_vm(d, v);
		startup_queue(v);
		break;
	case RECONCILE_AGAIN:
		if (v->row.restart_at_ms > clock_wall_ms())
			life_start_at(d, v, v->row.restart_at_ms);
		else
			startup_queue(v);
		break;
	}
}

static bool find_process(const struct vm *v, struct process *ret)
{
	struct err e;

	return v->row.pid > 0 && v->row.pid <= INT32_MAX && !v->is_unfenced &&
	       !strcmp(v->row.boot, v->d->boot) &&
	       process_find((pid_t)v->row.pid, v->row.pid_start, ret, &e) == 1;
}

/* Adopt what runs, and find what must be fenced before its VM may start again. */
static size_t adopt_all(struct daemon *d, struct recall *r, enum reconcile_verdict *ret_verdicts,
			struct orphan *ret_orphans)
{
	size_t n = 0;

	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];

		ret_verdicts[i] = reconcile_row(&v->row, &v->policy, adopt_look(v, r), d->boot);
		if (ret_verdicts[i] == RECONCILE_ADOPT) {
			adopt_take(v, r);
			continue;
		}
		/* It was kept frozen, and its supervisor went while it was being ended. */
		if (vm_rests(v) && v->row.pid > 0)
			settle_kept(d, v);
		if (find_process(v, &ret_orphans[n].process))
			ret_orphans[n++].vm = v;
		else if (ret_verdicts[i] != RECONCILE_LOST && v->row.pid && !v->is_unfenced)
			forget_process(d, v);
	}
	return n;
}

/* cgroup_sweep() leaves these folders alone. */
static bool is_spared(void *arg, const char *folder)
{
	const struct daemon *d = arg;
	const struct vm *v;

	if (!strcmp(folder, KEEP_CGROUP))
		return true;
	if (strncmp(folder, "vm-", 3) != 0)
		return false;
	v = vm_find(&d->vms, folder + 3);
	return !v || v->worker || v->is_unfenced;
}

void recover_run(struct daemon *d, struct recall *r)
{
	enum reconcile_verdict *verdict = calloc(d->vms.n + 1, sizeof *verdict);
	struct orphan *orphan = calloc(d->vms.n + 1, sizeof *orphan);
	struct err e;

	if (!verdict || !orphan)
		abort();
	if (operation_fail_lost(&d->store, clock_wall_ms(), &e) < 0)
		log_error(&(struct log_about){.err = &e}, "operations stay as they were: %s",
			  e.msg);
	fence(orphan, adopt_all(d, r, verdict, orphan));
	adopt_sift(d, r);
	cgroup_sweep(&d->cgroup, is_spared, d);
	for (size_t i = 0; i < d->vms.n; i++)
		follow(d, d->vms.vm[i], verdict[i]);
	d->is_recovered = true;
	startup_step(d);
	pair_step(d);
	pair_recover(d);
	ledger_flush(d);
	free(verdict);
	free(orphan);
}
