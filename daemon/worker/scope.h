/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h - transient scopes of systemd: one a worker, in qvm.slice, asked for over the system bus and
 * never waited for. Supervisor; part of struct daemon.
 *
 * Source: org.freedesktop.systemd1(5), StartTransientUnit(). A bus that is away or does not answer
 * within SCOPE_BOUND_MS is told to whoever asked; the next request tries it anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/err.h"
#include "base/name.h"
#include "base/partition.h"
#include "daemon/decide/limits.h"

enum { SCOPE_BOUND_MS = 5000, SCOPE_NAME = NAME_CAP + 32 };
#define SCOPE_SLICE "qvm.slice"

struct scope_job;

struct scopes {
	sd_event *loop; /* NULL = this host has no systemd, or the settings say no */
	sd_bus *bus;	/* NULL = not connected now */
	struct scope_job *first;
	int64_t kills_seen; /* OOM kills in the slice that are accounted for; -1 = not counted yet */
};

struct scope_spec {
	char name[SCOPE_NAME]; /* "qvm-hello-7.scope" */
	const char *vm;
	pid_t pid; /* not reaped yet */
	const struct limits *limits;
	const struct partition *partition; /* whose slice it shall be in; NULL = qvm.slice itself */
};

/* The process is in its scope: why is NULL. Otherwise it is where it was, or may still be moved. Not
 * called after scope_cancel(). */
typedef void scope_fn(void *arg, const struct err *why);

/* The slice of a partition, "qvm-rt.slice", which by its name lies in qvm.slice. */
const char *scope_slice(const struct partition *p, char ret[static SCOPE_NAME]);
/* Take note of the loop; a bus is not connected before it is needed. */
void scope_open(struct scopes *s, sd_event *loop);
void scope_close(struct scopes *s);
/* Ask for a scope around the process. The job lives until `done` is called or it is cancelled. */
int scope_start(struct scopes *s, const struct scope_spec *spec, scope_fn *done, void *arg,
		struct scope_job **ret, struct err *e);
/* Whoever asked no longer wants to know; returns NULL. */
struct scope_job *scope_cancel(struct scope_job *j);
