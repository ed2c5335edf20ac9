/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - what holds one worker to its limits (daemon/decide/limits.h), from before its first
 * instruction to its end. Supervisor; part of struct worker.
 *
 * Resource limits of the process come first and stay, whatever else there is. Its folder of the
 * supervisor's cgroup subtree limits it while it reads its configuration. Once its plan is known it
 * moves into a transient scope of systemd, which outlives a restart of qvmd's unit; where there is no
 * systemd, or its bus does not do it, it stays in its folder, and that is limited anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/partition.h"
#include "daemon/decide/limits.h"
#include "daemon/worker/cgroup.h"
#include "daemon/worker/process.h"

struct scope_job;
struct worker;

enum { CONFINE_RLIMITS = 2 };

typedef void confine_fn(struct worker *w, const struct err *why); /* why = NULL: they hold */

struct confinement {
	char path[CGROUP_PATH]; /* of the cgroup that holds it; "" = none of its own */
	struct limits limits;
	struct partition partition;	/* the budget that it shares; of a plan that names one */
	struct limits_held held, alone; /* alone: by resource limits, wherever it is */
	struct process_limit rlimit[CONFINE_RLIMITS];
	unsigned n_rlimits;
	int events; /* memory.events of its cgroup; -1 = none */
	bool is_in_scope;
	/* While it moves into its scope: */
	struct scope_job *job;
	const struct policy *policy;
	confine_fn *done;
};

/* Before it is spawned: *ret_folder is the cgroup to spawn it in (the caller's; -1 = none). */
int confine_begin(struct worker *w, const struct policy *p, int *ret_folder, struct err *e);
/* It was spawned by an earlier supervisor, into that cgroup; "" = none of its own. */
void confine_adopt(struct worker *w, const char *path);
/* Its plan is accepted: the limits of the whole machine. 0 = they hold; 1 = `done` follows, unless it
 * ends before. ERR_RESOURCE when the policy requires what this host cannot do. */
int confine_machine(struct worker *w, const struct policy *p, uint64_t shared_bytes,
		    confine_fn *done, struct err *e);
/* It is reaped. Returns whether the kernel ended processes of it for lack of memory. */
bool confine_end(struct worker *w);
