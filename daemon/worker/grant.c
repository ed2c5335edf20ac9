/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/grant.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/decide/plan.h"
#include "daemon/vm/dump.h"
#include "daemon/worker/opening.h"
#include "daemon/worker/resource.h"
#include "daemon/worker/worker.h"

enum { LOCKED_SLACK = 8 * 1024 * 1024 };

/* Guest memory that the other VMs hold of the budget. */
static uint64_t used_bytes(const struct daemon *d, const struct vm *but)
{
	uint64_t sum = opener_stray_bytes(&d->openers);

	for (size_t i = 0; i < d->vms.n; i++) {
		const struct worker *w = d->vms.vm[i]->worker;

		sum += dump_bytes(d->vms.vm[i]);
		if (w && d->vms.vm[i] != but && w->phase >= WORKER_OPENS)
			sum += w->plan.ram_bytes + w->plan.rom_bytes;
	}
	return sum;
}

static int make_all(struct daemon *d, struct worker *w, int *fds, struct err *e)
{
	for (uint32_t i = 0; i < w->n_wants; i++) {
		struct resource r = {.config = &d->config,
				     .vm = w->vm,
				     .want = &w->want[i],
				     .plan = &w->plan,
				     .container_fd = -1,
				     .iomem_fd = -1,
				     .peers = &d->peers,
				     .dials = &d->dials,
				     .shmem = &d->shmem,
				     .worker_fd = w->process.fd};
		struct err why;

		if (resource_make(&r, &fds[i], &why) == 0)
			continue;
		plan_objection(r.want, &why, e);
		return -1;
	}
	return 0;
}

static void close_all(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

/* The VM keeps the box of its newest worker, for qvm-api, after that worker has gone. */
static void keep_box(struct vm *v, const struct worker *w)
{
	if (w->box_fd < 0)
		return;
	if (v->box_fd >= 0)
		close(v->box_fd);
	v->box_fd = fcntl(w->box_fd, F_DUPFD_CLOEXEC, 3);
	frontdoor_box(v->d, v);
}

/* The kernel lets a thread without privileges raise itself up to this limit. */
static int permit_priority(const struct worker *w, struct err *e)
{
	const struct rlimit to = {w->plan.max_priority, w->plan.max_priority};

	if (w->plan.max_priority == 0)
		return 0;
	/* Not reaped yet, so the pid cannot be another's. */
	if (prlimit(w->process.pid, RLIMIT_RTPRIO, &to, NULL) == 0)
		return 0;
	return err_sys(e, RESOURCE,
		       "permit the vCPUs of '%s' the real-time priority %u (qvmd needs "
		       "CAP_SYS_RESOURCE for `cpu sched`)",
		       w->vm, w->plan.max_priority);
}

/* Whatever a function of the host may access by DMA is locked into memory, once for each function, by
 * the worker itself. */
static int permit_locked(const struct worker *w, struct err *e)
{
	rlim_t functions = 0, bytes;

	for (uint32_t i = 0; i < w->n_wants; i++)
		functions += w->want[i].kind == WANT_PCI;
	if (functions == 0)
		return 0;
	bytes = functions * w->plan.ram_bytes + LOCKED_SLACK;
	const struct rlimit to = {bytes, bytes};
	if (prlimit(w->process.pid, RLIMIT_MEMLOCK, &to, NULL) == 0)
		return 0;
	return err_sys(
		e, RESOURCE,
		"permit '%s' to lock its %ju bytes of memory for `pass loc pci:` (qvmd needs "
		"CAP_SYS_RESOURCE, or LimitMEMLOCK=infinity in its unit)",
		w->vm, (uintmax_t)bytes);
}

static void refuse(struct worker *w, const struct err *why)
{
	worker_fence(w, why->code == ERR_PROTOCOL ? CAUSE_PROTOCOL : CAUSE_RESOURCE, why);
}

/* Its limits hold: what it wanted is its own. */
static void on_confined(struct worker *w, const struct err *why)
{
	struct vm *v = w->arg;

	if (why) {
		refuse(w, why);
		return;
	}
	str_copy(v->row.cgroup, sizeof v->row.cgroup, w->home.path);
	limits_text(&w->home.held, v->row.limits);
	ledger_vm(v->d, v);
	worker_grant(w, w->grant);
	keep_box(v, w);
}

/* The descriptors are the worker's from here on, granted or not. */
static void confine(struct vm *v, struct worker *w, int *take_fds)
{
	struct err e;
	int r;

	w->grant = take_fds;
	r = confine_machine(w, &v->running, w->opening.shared_bytes, on_confined, &e);
	if (r <= 0)
		on_confined(w, r < 0 ? &e : NULL);
}

void grant_wants(struct vm *v, struct worker *w)
{
	const struct plan p = {.config = &v->d->config,
			       .vm = w->vm,
			       .shape = &w->plan,
			       .want = w->want,
			       .n_wants = w->n_wants,
			       .used_bytes = used_bytes(v->d, v),
			       .is_late = w->is_held_back};
	struct err e;

	w->phase = WORKER_OPENS;
	if (plan_judge(&p, &e) < 0 || permit_priority(w, &e) < 0 || permit_locked(w, &e) < 0 ||
	    opening_begin(w, &p, &e) < 0)
		refuse(w, &e);
}

void grant_refused(struct worker *w, const struct msg_want *want, const struct err *why)
{
	struct err e;

	plan_objection(want, why, &e);
	refuse(w, &e);
}

void grant_opened(struct vm *v, struct worker *w)
{
	int *fds = opening_take(w);
	struct err e;

	if (make_all(v->d, w, fds, &e) < 0 ||
	    dumpsource_keep(&v->source, w->want, w->n_wants, fds, &e) < 0) {
		close_all(fds, w->n_wants);
		refuse(w, &e);
		return;
	}
	confine(v, w, fds);
}
