/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpfolder.h - where guest dumps go: the folder that a configuration's `dump` names, judged like any
 * host file; else STATE/dumps/VM. In either only so many dumps of a VM are kept (dump-keep and dump-space
 * of qvmd.conf); what else is there is nobody's to remove. Supervisor.
 *
 * Whatever is done there is done in an opener that finishes: a file system may take its time to remove a
 * large file, or not answer at all.
 */
#pragma once

#include <stdint.h>

#include "base/dumpfile.h"
#include "base/err.h"
#include "schemas/message.h"

struct config;
struct opener;
struct opener_set;
struct opener_spec;

enum dumpfolder_item { DUMPFOLDER_FOLDER, DUMPFOLDER_FILE, DUMPFOLDER_ITEMS };

/* A dump that is to come. */
struct dumpfolder_job {
	const struct config *config;
	const char *vm;
	char path[MESSAGE_PATH]; /* of the folder */
	int folder_fd;		 /* -1: path is the supervisor's own, made if absent */
	uint64_t bytes;		 /* that it takes at most, but for some pages */
	int64_t at_ms;		 /* wall */
};

/* The bytes of a dump of that RAM. */
uint64_t dumpfolder_bytes(int ram_fd);
/* The supervisor's own folder of that VM, into j->path. */
void dumpfolder_own(struct dumpfolder_job *j);
/* Open the folder, and in it, once the oldest dumps are removed until at most dump-keep files and dump-space
 * bytes are left with this one to come, its new file. Answers of enum dumpfolder_item; ERR_RESOURCE also
 * where it would leave state.db, which lies beside the own folder, without room. *j until it has forked. */
int dumpfolder_make(struct opener_set *s, const struct dumpfolder_job *j, struct opener_spec how,
		    struct opener **ret, struct err *e);
/* The name of a file of it. */
int dumpfolder_name(int fd, char ret[static DUMPFILE_NAME], struct err *e);
/* Remove one that did not become whole: one answer. *name until it has forked. */
int dumpfolder_remove(struct opener_set *s, int dir_fd, const char *name, struct opener_spec how,
		      struct opener **ret, struct err *e);
