/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/confine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "daemon/daemon.h"
#include "daemon/worker/controller.h"
#include "daemon/worker/worker.h"

static void add_rlimit(struct confinement *c, int what, uint64_t value, enum limit l)
{
	c->rlimit[c->n_rlimits++] = (struct process_limit){what, value};
	c->held.by[l] = LIMITER_RLIMIT;
}

int confine_begin(struct worker *w, const struct policy *p, int *ret_folder, struct err *e)
{
	const struct cgroup *tree = &w->d->cgroup;
	struct confinement *c = &w->home;

	*c = (struct confinement){.limits = limits_early(p), .events = -1};
	add_rlimit(c, RLIMIT_DATA, limits_private_bytes(p), LIMIT_MEMORY);
	/* Of a uid, not of a process: only where each VM has its own. */
	if (geteuid() == 0)
		add_rlimit(c, RLIMIT_NPROC, limits_own_pids(p), LIMIT_PIDS);
	if (cgroup_make(tree, w->cgroup, ret_folder, e) < 0)
		return -1;
	if (*ret_folder < 0)
		return 0;
	snprintf(c->path, sizeof c->path, "%.400s/%s", tree->path, w->cgroup);
	controller_limit(*ret_folder, &c->limits, &c->held);
	c->events = controller_events(*ret_folder);
	return 0;
}

int confine_machine(struct worker *w, const struct policy *p, uint64_t shared_bytes, struct err *e)
{
	struct confinement *c = &w->home;

	c->limits = limits_of(p, &w->plan, shared_bytes);
	if (c->path[0]) {
		AUTO_FD int folder = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (folder < 0)
			return err_sys(e, RESOURCE, "open the cgroup '%s'", c->path);
		controller_limit(folder, &c->limits, &c->held);
	}
	return limits_judge(p, &c->held, e);
}

bool confine_end(struct worker *w)
{
	struct confinement *c = &w->home;
	int64_t kills = c->events >= 0 ? controller_oom_kills(c->events) : 0;

	if (c->events >= 0)
		close(c->events);
	c->events = -1;
	cgroup_remove(&w->d->cgroup, w->cgroup);
	return kills > 0;
}
