/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem.h - the supervisor's part in shared memory: it has a process keep the regions (`qvm --shmem`),
 * from the first VM that wants one on, and introduces workers to it. Supervisor; part of struct daemon.
 *
 * The supervisor knows nothing of regions and is on no way between two VMs. The server outlives it for as
 * long as a worker is connected, and the next supervisor finds it at the socket in the run directory.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/worker/process.h"

struct config;
struct scope_job;
struct scopes;

struct shmem {
	sd_event *loop;
	struct scopes *scopes;
	struct scope_job *job;	/* its scope is being asked for; NULL = it is not */
	struct process process; /* the server, if it is a child of ours; fd -1 = it is not */
	sd_event_source *source;
	int life_fd; /* a connection of our own: the server stays while it is open; -1 = none */
};

void shmem_init(struct shmem *s, struct scopes *scopes);
/* The server goes on without us; if no worker needs it, it ends. */
void shmem_close(struct shmem *s);
