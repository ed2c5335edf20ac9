/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/confine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/worker/controller.h"
#include "daemon/worker/worker.h"

static void add_rlimit(struct confinement *c, int what, uint64_t value, enum limit l)
{
	c->rlimit[c->n_rlimits++] = (struct process_limit){what, value};
	c->held.by[l] = LIMITER_RLIMIT;
}

static void watch_events(struct confinement *c, int folder)
{
	if (c->events >= 0)
		close(c->events);
	c->events = controller_events(folder);
}

#define SLICE_FOLDER "/" SCOPE_SLICE "/"

/* OOM kills in the slice since the last look. systemd takes an empty scope away at once, and its
 * counts with it; those of the slice stay. */
static bool slice_has_killed(struct worker *w)
{
	struct scopes *s = &w->d->scopes;
	char path[CGROUP_PATH];
	int64_t kills, seen = s->kills_seen;

	str_copy(path, sizeof path, w->home.path);
	strstr(path, SLICE_FOLDER)[strlen(SLICE_FOLDER) - 1] = '\0';
	AUTO_FD int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD int events = folder >= 0 ? controller_events(folder) : -1;
	kills = events >= 0 ? controller_oom_kills(events) : 0;
	s->kills_seen = kills;
	return seen >= 0 && kills > seen;
}

static void enter_slice(struct worker *w)
{
	w->home.is_in_scope = true;
	/* What was killed in it before our time is no end of a worker of ours. */
	if (w->d->scopes.kills_seen < 0)
		slice_has_killed(w);
}

int confine_begin(struct worker *w, const struct policy *p, int *ret_folder, struct err *e)
{
	const struct cgroup *tree = &w->d->cgroup;
	struct confinement *c = &w->home;

	*c = (struct confinement){.limits = limits_early(p), .events = -1};
#ifndef __SANITIZE_ADDRESS__ /* whose shadow is terabytes of private memory */
	add_rlimit(c, RLIMIT_DATA, limits_private_bytes(p), LIMIT_MEMORY);
#endif
	/* Of a uid, not of a process: only where each VM has its own. */
	if (geteuid() == 0)
		add_rlimit(c, RLIMIT_NPROC, limits_own_pids(p), LIMIT_PIDS);
	c->alone = c->held;
	if (cgroup_make(tree, w->cgroup, ret_folder, e) < 0)
		return -1;
	if (*ret_folder < 0)
		return 0;
	snprintf(c->path, sizeof c->path, "%.380s/%s", tree->path, w->cgroup);
	controller_limit(*ret_folder, &c->limits, &c->held);
	watch_events(c, *ret_folder);
	return 0;
}

void confine_adopt(struct worker *w, const char *path)
{
	struct confinement *c = &w->home;
	AUTO_FD int folder = path[0] ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	*c = (struct confinement){.events = folder >= 0 ? controller_events(folder) : -1};
	str_copy(c->path, sizeof c->path, path);
	if (strstr(path, SLICE_FOLDER))
		enter_slice(w);
}

/* Not being able to is no error of the VM, unless its policy says so. */
static void join_partition(struct worker *w)
{
	struct confinement *c = &w->home;
	bool holds = false;
	struct err e;

	if (!c->held.wants_partition || !c->path[0])
		return;
	if (cgroup_join(&w->d->cgroup, &c->partition, w->process.pid, w->cgroup, &holds, &e) < 0) {
		log_warn((&(struct log_about){.vm = w->vm, .err = &e}),
			 "it is outside of its partition '%s': %s", w->plan.partition, e.msg);
		return;
	}
	snprintf(c->path, sizeof c->path, "%.380s/%s", w->d->cgroup.path, w->cgroup);
	if (holds)
		c->held.by[LIMIT_PARTITION] = LIMITER_CGROUP;
}

/* In a folder of its supervisor's. */
static int limit_folder(struct worker *w, struct err *e)
{
	struct confinement *c = &w->home;
	AUTO_FD int folder = -1;

	join_partition(w);

	if (c->path[0]) {
		folder = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return err_sys(e, RESOURCE, "open the cgroup '%s'", c->path);
		controller_limit(folder, &c->limits, &c->held);
		watch_events(c, folder);
	}
	return limits_judge(c->policy, &c->held, e);
}

/* What is told beside that which is told of everybody. */
static void note_wants(struct worker *w)
{
	w->home.held.wants_io_max = limits_want_io_max(&w->home.limits);
	w->home.held.wants_partition = w->plan.partition[0];
}

/* The slice of its partition, with the budget that it shall have. */
static bool is_in_its_slice(const struct worker *w, const char *scope)
{
	char slice[CGROUP_PATH], name[SCOPE_NAME];

	if (!w->plan.partition[0])
		return false;
	str_copy(slice, sizeof slice, scope);
	*strrchr(slice, '/') = '\0';
	scope_slice(&w->home.partition, name);
	AUTO_FD int folder = open(slice, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return !strcmp(strrchr(slice, '/') + 1, name) && folder >= 0 &&
	       controller_has_budget(folder, &w->home.partition);
}

/* systemd says that it is in its scope: look where it is, and what holds it there. */
static int enter_scope(struct worker *w, struct err *e)
{
	struct confinement *c = &w->home;
	char path[CGROUP_PATH];
	uint32_t there;

	if (!strstr(cgroup_of(w->process.pid, path), SLICE_FOLDER))
		return err_set(e, RESOURCE, "'%s' was not moved into its scope: it is in '%.160s'",
			       w->vm, path);
	AUTO_FD int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_sys(e, RESOURCE, "open the cgroup '%.200s'", path);
	there = controller_there(folder);
	c->held = c->alone;
	note_wants(w);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (there & 1u << i &&
		    (i != LIMIT_IO_MAX || controller_has_io_max(folder, &c->limits)) &&
		    (i != LIMIT_PARTITION || is_in_its_slice(w, path)))
			c->held.by[i] = LIMITER_SCOPE;
	watch_events(c, folder);
	str_copy(c->path, sizeof c->path, path);
	enter_slice(w);
	cgroup_remove(&w->d->cgroup, w->cgroup);
	return limits_judge(c->policy, &c->held, e);
}

static void on_scope(void *arg, const struct err *why)
{
	struct worker *w = arg;
	struct confinement *c = &w->home;
	struct err e;
	int r;

	c->job = NULL;
	if (why)
		log_warn((&(struct log_about){.vm = w->vm, .err = why}),
			 "it stays in the cgroup of its supervisor: %s", why->msg);
	r = why ? limit_folder(w, &e) : enter_scope(w, &e);
	c->done(w, r < 0 ? &e : NULL);
}

int confine_machine(struct worker *w, const struct policy *p, uint64_t shared_bytes,
		    confine_fn *done, struct err *e)
{
	struct confinement *c = &w->home;
	struct scope_spec s = {.vm = w->vm, .pid = w->process.pid, .limits = &c->limits};
	struct err why;

	c->limits = limits_of(p, &w->plan, shared_bytes);
	c->limits.disks = w->opening.disks;
	c->policy = p;
	c->done = done;
	note_wants(w);
	/* Settings do not change while we live: the worker was told of them. */
	if (c->held.wants_partition &&
	    !partition_find(w->d->config.partitions, w->plan.partition, &c->partition))
		return err_set(e, PROTOCOL, "PLAN with the partition '%s', which is none",
			       w->plan.partition);
	s.partition = c->held.wants_partition ? &c->partition : NULL;
	if (!w->d->scopes.loop)
		return limit_folder(w, e);
	/* A name of its own for each worker: the scope of the last one may still be there. */
	snprintf(s.name, sizeof s.name, "qvm-%s-%" PRIu64 ".scope", w->vm, w->process.start);
	if (scope_start(&w->d->scopes, &s, on_scope, w, &c->job, &why) == 0)
		return 1;
	log_warn((&(struct log_about){.vm = w->vm, .err = &why}),
		 "it stays in the cgroup of its supervisor: %s", why.msg);
	return limit_folder(w, e);
}

bool confine_end(struct worker *w)
{
	struct confinement *c = &w->home;
	int64_t kills = c->events >= 0 ? controller_oom_kills(c->events) : 0;

	c->job = scope_cancel(c->job);
	if (c->is_in_scope) {
		bool is_new = slice_has_killed(w);

		if (kills < 0)
			kills = is_new;
	}
	if (c->events >= 0)
		close(c->events);
	c->events = -1;
	cgroup_remove(&w->d->cgroup, w->cgroup);
	/* Its supervisor may have been in another place than this one. */
	if (w->was_adopted && c->path[0] && !c->is_in_scope)
		rmdir(c->path);
	return kills > 0;
}
