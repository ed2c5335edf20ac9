/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h - programs of the host that are told what happens to a VM (policy `hook`). Supervisor; part of
 * struct daemon.
 *
 * An event is told once it is committed, so nothing waits for a hook and a hook delays no safe state.
 * It runs as `hook-user`, as the first process of a pid namespace, which ends with it, in a cgroup of its
 * own, with limits and a deadline; those of one VM run one after the other. It gets QVM_* in its
 * environment and the event as JSON on its standard input. What it says becomes an event, as does its
 * failure.
 */
#pragma once

#include <stdbool.h>

struct daemon;
struct event;
struct hook;

struct hook_set {
	struct hook *first; /* in order; those that run have a process */
	unsigned n, n_running;
	unsigned places; /* taken by those that run, 1 << place: each has a cgroup */
	bool is_full;	 /* and that was told */
	bool is_closed;	 /* the supervisor ends */
};

/* A committed event. */
void hook_event(struct daemon *d, const struct event *ev);
/* End what runs, forget what waits. */
void hook_close(struct daemon *d);
