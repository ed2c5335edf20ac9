/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpfolder.h - where guest dumps go: the folder that a configuration's `dump` names, judged like any
 * host file; else STATE/dumps/VM. In either only so many dumps of a VM are kept (dump-keep and dump-space
 * of qvmd.conf); what else is there is nobody's to remove. Supervisor.
 *
 * To remove a large file takes a file system its time: a child does it, which the caller waits for and
 * reaps.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct config;
struct process;

/* The supervisor's own folder of that VM, made if absent. */
int dumpfolder_make(const struct config *c, const char *vm, char *ret_path, size_t cap, int *ret_fd,
		    struct err *e);
/* Remove the oldest dumps until at most dump-keep files and dump-space bytes are left, with a dump of that
 * RAM to come. */
int dumpfolder_prune(int dir_fd, const char *vm, const struct config *c, int ram_fd,
		     struct process *ret, struct err *e);
/* One that did not become whole. */
int dumpfolder_remove(int dir_fd, const char *name, struct process *ret, struct err *e);
/* ERR_RESOURCE when a dump of that RAM would leave state.db, which lies beside it, without room. */
int dumpfolder_has_room(int dir_fd, const char *path, int ram_fd, struct err *e);
