/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the supervisor's own cgroup2 subtree, one folder a worker: what can be fenced as a
 * whole even when a pid was lost. Supervisor; part of struct daemon.
 *
 * The subtree is named after the state directory, so that the next supervisor finds what the last
 * one left. Where no folder can be made (an ordinary user without delegation) workers stay in the
 * supervisor's own cgroup; cgroup_is_there() tells, and the host's facts say so.
 *
 * A cgroup that hands controllers down may hold no process of its own: for that the supervisor moves
 * into a folder `supervisor` beside the subtree. It does so only where nobody else is the cgroup's
 * master: under a systemd, if its unit says Delegate=.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/name.h"
#include "base/partition.h"

enum { CGROUP_PATH = 512, CGROUP_FOLDER = NAME_CAP + PARTITION_NAME + 16 };

struct cgroup {
	char path[CGROUP_PATH]; /* "" = there is none */
	int fd;
	uint32_t limits;       /* 1 << LIMIT_*: what its folders can limit */
	char own[CGROUP_PATH]; /* that the supervisor was started in */
	uint32_t handed_down;  /* in it, by us */
	bool is_moved;	       /* into `supervisor` below it */
};

/* Not having one, or one that cannot limit, is no error: *e tells why, and -1 is returned. */
int cgroup_open(struct cgroup *c, const char *state_dir, struct err *e);
bool cgroup_is_there(const struct cgroup *c);
/* The folder of a worker, made if absent; the caller owns *ret_fd (-1 without a subtree). */
int cgroup_make(const struct cgroup *c, const char *name, int *ret_fd, struct err *e);
/* The process moves from its folder *name into one below the partition's, "part-rt/vm-web", which becomes its
 * *name. Folders are made if absent, the budget is written anew; *ret_holds: the kernel keeps it. */
int cgroup_join(const struct cgroup *c, const struct partition *p, pid_t pid,
		char name[static CGROUP_FOLDER], bool *ret_holds, struct err *e);
/* The calling process moves into that folder. */
bool cgroup_enter(int folder);
/* The cgroup2 folder that a process is in now, as an absolute path; "" when it cannot be told. */
const char *cgroup_of(pid_t pid, char ret[static CGROUP_PATH]);
/* What the host's cgroup2 can limit at all: 1 << LIMIT_*. */
uint32_t cgroup_offered(void);
/* SIGKILL for all that is in it, whatever it became; -1 where there is no such folder, or a kernel before
 * 5.14. */
int cgroup_kill(const struct cgroup *c, const char *name);
/* After its worker has been reaped; with it goes a partition that it was the last one in. */
void cgroup_remove(const struct cgroup *c, const char *name);
/* End whatever an earlier supervisor left in the subtree, but for what is spared, and remove the
 * empty folders. */
void cgroup_sweep(const struct cgroup *c, bool (*is_spared)(void *arg, const char *folder),
		  void *arg);
void cgroup_close(struct cgroup *c);
