/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hookrun.h - the children that become a hook (hook.h): one that waits, and in a pid namespace of its own
 * the one that is judged, limited, made somebody else and executed. Supervisor.
 */
#pragma once

#include "base/err.h"

struct config;
struct process;

enum { HOOKRUN_PIDS = 64, HOOKRUN_MEMORY = 512 << 20 };

struct hookrun {
	const struct config *config;
	const char *program; /* in its hook-folder */
	char *const *environment;
	int cgroup; /* folder to be in; -1 = the supervisor's own */
};

/* SIGTERM ends all of it, and the first child, which is *ret, last. link: all its standard descriptors; the caller's. It ends with the hook's status, or 128 and its signal;
 * PROCESS_NO_EXEC: it could not be executed, the link has the reason. */
int hookrun_spawn(const struct hookrun *r, int link, struct process *ret, struct err *e);
