/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpfile.h - the file of a guest dump: PREFIX-YYYYMMDD-hhmmss.gcore (host's local time), on a clash
 * -1 to -9 before `.gcore`, none when all are taken. All processes that make one.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { DUMPFILE_NAME = 128, DUMPFILE_CLASHES = 9 };

/* Make it in the folder, never over another file: *ret_fd writable and the caller's. ERR_RESOURCE. */
int dumpfile_create(int dir_fd, const char *prefix, int64_t wall_ms, char ret_name[DUMPFILE_NAME],
		    int *ret_fd, struct err *e);
/* True if a file of that name may be a dump of that VM. */
int dumpfile_is_of(const char *name, const char *prefix);
