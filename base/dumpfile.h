/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpfile.h - the file of a guest dump: PREFIX-YYYYMMDD-hhmmss.gcore (host's local time), on a clash
 * -1 to -9 before `.gcore`, none when all are taken. All processes that make one.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct stat;

/* Of its names, for the document of the API. */
#define DUMPFILE_PATTERN "[a-z0-9][a-z0-9._-]{0,62}-[0-9]{8}-[0-9]{6}(-[1-9])?[.]gcore"

enum { DUMPFILE_NAME = 128, DUMPFILE_CLASHES = 9, DUMPFILE_TAG = 56 };

/* Make it in the folder, never over another file: *ret_fd writable and the caller's. ERR_RESOURCE. */
int dumpfile_create(int dir_fd, const char *prefix, int64_t wall_ms, char ret_name[DUMPFILE_NAME],
		    int *ret_fd, struct err *e);
/* A word of hexadecimal digits and dashes that is another one as soon as the file is. */
void dumpfile_tag(const struct stat *st, char ret[static DUMPFILE_TAG]);
/* True if a file of that name may be a dump of that VM. */
int dumpfile_is_of(const char *name, const char *prefix);
