/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/opening.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/timer.h"
#include "daemon/worker/opener.h"
#include "daemon/worker/resource.h"
#include "daemon/worker/worker.h"

enum { LINGER_MS = 2000 }; /* that the end of a worker waits for its opener's */

/* The items are the wants to judge; where they are granted, then the wants to open. */
static int work(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e)
{
	const struct plan *p = job;
	bool opens = i >= p->n_wants;
	const struct msg_want *w = &p->want[opens ? i - p->n_wants : i];
	bool has_container = opens && i > p->n_wants && w[-1].kind == WANT_VFIO;
	const struct resource r = {.config = p->config,
				   .vm = p->vm,
				   .want = w,
				   .plan = p->shape,
				   .container_fd = has_container ? opened[i - 1] : -1,
				   .iomem_fd = p->iomem_fd,
				   .is_late = p->is_late,
				   .worker_fd = -1};

	return opens ? resource_open(&r, ret_fd, e) : plan_judge_want(p, w, e);
}

static void answered(void *arg, uint32_t i, int take_fd, const struct msg_opened *what,
		     const struct err *why)
{
	struct worker *w = arg;
	struct opening *o = &w->opening;
	uint32_t n = o->plan.n_wants;
	uint32_t kind = w->want[i % n].kind;
	bool is_last = i + 1 == (o->is_granted ? 2 * n : n);
	struct err e;

	if (kind == WANT_PASS || kind == WANT_PASS_READ)
		o->shared_bytes += what->bytes;
	if (take_fd >= 0 && (kind == WANT_DISK || kind == WANT_DISK_READ))
		limits_add_disk(&o->disks, what->device);
	if (take_fd >= 0 && o->plan.is_late && want_warm(&w->want[i % n]) == WANT_WARM_LATE &&
	    late_add(&w->late, &w->want[i % n], take_fd, what, &e) < 0)
		why = &e;
	if (take_fd >= 0 && o->fd && i >= n)
		o->fd[i - n] = take_fd;
	else if (take_fd >= 0)
		close(take_fd);
	/* Whoever is being ended is answered no more. */
	if (w->fenced != CAUSE_NONE || w->is_reaped)
		return;
	if (why)
		w->owner->refused(w, &w->want[i % n], why, w->arg);
	if (is_last && w->fenced == CAUSE_NONE)
		w->owner->opened(w, w->arg);
}

static void gone(void *arg)
{
	struct worker *w = arg;

	w->opening.opener = NULL;
	timer_clear(&w->opening.linger);
	if (w->is_reaped)
		worker_opening_gone(w);
}

/* An opener has not the rights by which /proc/iomem shows addresses. */
static int open_iomem(const struct worker *w, int *ret_fd, struct err *e)
{
	bool is_wanted = false;

	for (uint32_t i = 0; i < w->n_wants; i++)
		is_wanted |= w->want[i].kind == WANT_MEM || w->want[i].kind == WANT_MEM_READ;
	if (!is_wanted)
		return 0;
	*ret_fd = open("/proc/iomem", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "open /proc/iomem") : 0;
}

static int spawn(struct worker *w, struct err *e)
{
	struct opening *o = &w->opening;
	AUTO_FD int iomem = -1;

	if (open_iomem(w, &iomem, e) < 0)
		return -1;
	o->plan.iomem_fd = iomem < 0 ? -1 : OPENER_KEPT_FD;
	const struct opener_spec spec = {.n = o->is_granted ? 2 * w->n_wants : w->n_wants,
					 .work = work,
					 .job = &o->plan,
					 .keep = &iomem,
					 .n_keep = iomem >= 0,
					 .has_raw_io = iomem >= 0,
					 .goes_on = !o->is_granted,
					 .answered = answered,
					 .gone = gone,
					 .arg = w};

	return opener_spawn(&w->d->openers, &spec, &o->opener, e);
}

int opening_judge(struct worker *w, const struct plan *p, struct err *e)
{
	w->opening = (struct opening){.plan = *p};
	return spawn(w, e);
}

int opening_begin(struct worker *w, const struct plan *p, struct err *e)
{
	struct opening *o = &w->opening;

	*o = (struct opening){
		.plan = *p, .is_granted = true, .fd = calloc(p->n_wants + 1, sizeof *o->fd)};
	if (!o->fd)
		abort();
	for (uint32_t i = 0; i < p->n_wants; i++)
		o->fd[i] = -1;
	return spawn(w, e);
}

int *opening_take(struct worker *w)
{
	int *fds = w->opening.fd;

	w->opening.fd = NULL;
	return fds;
}

static int claim(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e)
{
	(void)opened;
	(void)ret_fd;
	return late_claim(job, i, OPENER_KEPT_FD, e);
}

static void claimed(void *arg, uint32_t i, int take_fd, const struct msg_opened *what,
		    const struct err *why)
{
	struct worker *w = arg;

	(void)what;
	if (take_fd >= 0)
		close(take_fd);
	if (w->fenced != CAUSE_NONE || w->is_reaped || (!why && i + 1 < w->late.n))
		return;
	w->owner->claimed(w, why, w->arg);
	opening_release(w);
}

int opening_claim(struct worker *w, struct err *e)
{
	int fd[LATE_MOST];
	const struct opener_spec spec = {.n = w->late.n,
					 .work = claim,
					 .job = &w->late,
					 .keep = fd,
					 .n_keep = w->late.n,
					 .answered = claimed,
					 .gone = gone,
					 .arg = w};

	for (uint32_t i = 0; i < w->late.n; i++)
		fd[i] = w->late.item[i].fd;
	w->opening = (struct opening){0};
	return opener_spawn(&w->d->openers, &spec, &w->opening.opener, e);
}

const struct msg_want *opening_pending(const struct worker *w)
{
	const struct opening *o = &w->opening;
	uint32_t n = o->plan.n_wants, i = o->opener ? opener_pending(o->opener) : UINT32_MAX;

	return w->want && i < (o->is_granted ? 2 * n : n) ? &w->want[i % n] : NULL;
}

void opening_release(struct worker *w)
{
	if (w->opening.opener)
		opener_release(w->opening.opener);
}

static void close_all(struct opening *o)
{
	for (uint32_t i = 0; o->fd && i < o->plan.n_wants; i++)
		if (o->fd[i] >= 0)
			close(o->fd[i]);
	free(o->fd);
	o->fd = NULL;
}

static int on_linger(sd_event_source *s, uint64_t us, void *arg)
{
	struct worker *w = arg;
	const struct msg_want *at = opening_pending(w);

	(void)s;
	(void)us;
	log_warn(&(struct log_about){.vm = w->vm},
		 "the kernel does not let go of what opens '%s' for it, not even by SIGKILL",
		 at ? at->path : "its files");
	opener_abandon(w->opening.opener);
	w->opening.opener = NULL;
	timer_clear(&w->opening.linger);
	worker_opening_gone(w);
	return 0;
}

bool opening_end(struct worker *w)
{
	struct opening *o = &w->opening;

	/* The opener's copies go last. */
	close_all(o);
	if (!o->opener)
		return true;
	opener_kill(o->opener);
	timer_set(w->d->loop, &o->linger, LINGER_MS, on_linger, w);
	return false;
}

void opening_free(struct worker *w)
{
	close_all(&w->opening);
	if (w->opening.opener)
		opener_abandon(w->opening.opener);
	timer_clear(&w->opening.linger);
}
