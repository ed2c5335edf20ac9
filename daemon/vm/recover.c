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
#include "daemon/vm/life.h"
#include "daemon/vm/settle.h"
#include "daemon/worker/process.h"
#include "daemon/decide/reconcile.h"

enum { GRACE_MS = 1000, KILL_MS = 5000 };

/* A worker of the last supervisor that is still there. */
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
	v->running = v->policy;
	return event_restarts(&d->store, r->name, replay, v, e);
}

int recover_load(struct daemon *d, struct err *e)
{
	return record_each(&d->store, load, d, e);
}

static size_t find_orphans(struct daemon *d, struct orphan *o)
{
	size_t n = 0;
	struct err e;

	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];

		if (v->row.pid <= 0 || v->row.pid > INT32_MAX)
			continue;
		switch (process_find((pid_t)v->row.pid, v->row.pid_start, &o[n].process, &e)) {
		case 1: o[n++].vm = v; break;
		case 0: /* of one that could not be ended the row was left to remember it */
			v->row.pid = 0;
			v->row.pid_start = 0;
			v->row.cgroup[0] = v->row.limits[0] = '\0';
			ledger_vm(d, v);
			break;
		case -1:
			v->is_unfenced = true;
			log_error((&(struct log_about){.vm = v->row.name, .err = &e}),
				  "its earlier worker cannot be held: %s", e.msg);
		}
	}
	return n;
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

static void fence(struct daemon *d)
{
	struct orphan *o = calloc(d->vms.n + 1, sizeof *o);
	size_t n;

	if (!o)
		abort();
	n = find_orphans(d, o);
	if (n)
		log_warn(NULL, "%zu workers of an earlier supervisor are still there", n);
	n = wait_for(o, n, GRACE_MS);
	for (size_t i = 0; i < n; i++)
		process_kill(&o[i].process);
	n = wait_for(o, n, KILL_MS);
	for (size_t i = 0; i < n; i++) {
		o[i].vm->is_unfenced = true;
		close(o[i].process.fd);
	}
	cgroup_sweep(&d->cgroup);
	free(o);
}

static void explain_loss(struct daemon *d, struct vm *v)
{
	int64_t pid = v->row.pid;

	v->end = (struct vm_end){.ending = {.cause = strcmp(v->row.boot, d->boot)
							     ? CAUSE_HOST_LOST
							     : CAUSE_SUPERVISOR_LOST,
					    .exit_code = -1,
					    .syscall = -1}};
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

void recover_run(struct daemon *d)
{
	/* It was kept, and its supervisor went while it was being ended. */
	for (size_t i = 0; i < d->vms.n; i++)
		if (vm_rests(d->vms.vm[i]) && d->vms.vm[i]->row.pid > 0)
			settle_kept(d, d->vms.vm[i]);
	fence(d);
	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];

		switch (reconcile_row(&v->row, &v->policy, d->boot)) {
		case RECONCILE_LEAVE: break;
		case RECONCILE_LOST: explain_loss(d, v); break;
		case RECONCILE_START:
			if (v->row.desired == DESIRED_STOPPED)
				v->row.desired = DESIRED_RUNNING;
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
	d->is_recovered = true;
	startup_step(d);
	ledger_flush(d);
}
