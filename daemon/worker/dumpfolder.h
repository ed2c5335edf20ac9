/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpfolder.h - where guest dumps go: the folder that a configuration's `dump` names, judged like any
 * host file; else STATE/dumps/VM, where only so many are kept (dump-keep and dump-space of qvmd.conf).
 * Supervisor.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct config;

/* The supervisor's own folder of that VM, made if absent, with room for a dump of that RAM: old ones
 * go. ERR_RESOURCE when the file system would be left without. */
int dumpfolder_make(const struct config *c, const char *vm, int ram_fd, char *ret_path, size_t cap,
		    int *ret_fd, struct err *e);
/* Remove the oldest until at most dump-keep files and dump-space bytes are left, with `more` bytes to
 * come in one more file; the newest stays. */
void dumpfolder_prune(int dir_fd, const char *vm, const struct config *c, uint64_t more);
