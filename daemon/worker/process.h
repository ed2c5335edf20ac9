/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - a child process held by its pidfd: workers, qvm-api, openers. Supervisor.
 *
 * Between clone3 and execve the child does only what is async-signal-safe; it inherits nothing but
 * the descriptors it is given, an empty environment and default signals. A pid is only ever shown,
 * never signalled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct hostports;

struct process {
	pid_t pid;
	int fd;		/* the pidfd; -1 = none */
	uint64_t start; /* field 22 of /proc/PID/stat: tells a recycled pid */
	/* Of a child that has been reaped: processor time, and the most memory it had at once. */
	uint64_t cpu_ms, peak_bytes;
};

/* Hard and soft; an inherited hard limit that is lower stays. */
struct process_limit {
	int what; /* RLIMIT_* */
	uint64_t value;
};

struct process_spec {
	const char *program; /* absolute path */
	char *const *argv;
	const int *fd; /* become 3, 4, ...; they stay the caller's */
	unsigned n_fds;
	int words;			   /* becomes stdout and stderr; -1 = /dev/null */
	uint64_t namespaces;		   /* CLONE_NEW* */
	const struct process_limit *limit; /* resource limits, before it runs */
	unsigned n_limits;
	const struct hostports *ports; /* open to it from its first instruction on */
	unsigned n_ports;
	int cgroup; /* of a cgroup2 folder; -1 = stay in the supervisor's */
};

enum { PROCESS_FDS = 64, PROCESS_NO_EXEC = 126 /* exit status: execve was refused */ };

/* ERR_RESOURCE when the program or the kernel refuses; a refused execve is seen as the exit status
 * PROCESS_NO_EXEC. */
int process_spawn(const struct process_spec *s, struct process *ret, struct err *e);
/* A child that is this very program, without execve: it runs `run`, which never returns, with the n
 * descriptors as 3, 4, ... and nothing else but 0, 1 and 2; they stay the caller's. What `arg` points to
 * is there as it is now. */
int process_fork(void (*run)(int link, const void *arg), const void *arg, const int *fd, unsigned n,
		 struct process *ret, struct err *e);
/* SIGKILL by pidfd; of a process that has gone it is nothing. */
void process_kill(const struct process *p);
void process_signal(const struct process *p, int signal);
/* Of a process whose pidfd is readable: si_code and si_status of waitid(); closes the pidfd. How one
 * ended that is no child of ours only a newer kernel can tell: code 0 = nobody knows. */
void process_reap(struct process *p, int *ret_code, int *ret_status);
/* Hold a process that is alive. */
int process_open(pid_t pid, struct process *ret, struct err *e);
bool process_has_ended(const struct process *p);
/* A process of an earlier supervisor: 1 with *ret held when pid and start time agree, 0 when it has
 * gone, -1 when it cannot be told. */
int process_find(pid_t pid, uint64_t start, struct process *ret, struct err *e);
