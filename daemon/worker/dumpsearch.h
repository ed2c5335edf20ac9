/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpsearch.h - the dumps of a VM, looked for where they may lie: the supervisor's own folder of that
 * VM, then those that its configurations have named, each held against what qvmd.conf allows now. In an
 * opener, since a folder may lie on a file system that does not answer.
 *
 * A dump is a regular file of that name and of the supervisor's own uid with no second name: who may
 * write to the folder can put nobody else's file in its place.
 */
#pragma once

#include "base/err.h"
#include "schemas/message.h"

struct config;

enum { DUMPSEARCH_FOLDERS = 8 };

struct dumpsearch {
	const struct config *config;
	char vm[NAME_CAP];
	char folder[DUMPSEARCH_FOLDERS][MESSAGE_PATH]; /* the first is the supervisor's own */
	unsigned n_folders;
	struct msg_dump unfinished; /* name, folder and needed_bytes; name "" = none */
};

/* A sealed memfd of struct msg_dump, in no order. */
int dumpsearch_list(const struct dumpsearch *s, int *ret_fd, struct err *e);
/* Open for reading. ERR_NOT_FOUND. */
int dumpsearch_open(const struct dumpsearch *s, const char *name, int *ret_fd, struct err *e);
int dumpsearch_remove(const struct dumpsearch *s, const char *name, struct err *e);
