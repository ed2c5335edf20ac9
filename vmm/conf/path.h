/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - a host path as the configuration names it, made independent of where qvm is started.
 * Worker. Nothing is opened or looked up here.
 */
#pragma once

#include <stddef.h>

#include "vmm/conf/finding.h"

#define PATH_TOO_LONG	   "this path is over %zu bytes long"
#define PATH_TOO_LONG_HINT "move the file to a folder with a shorter name"

/* Put folder before a relative path, in place; "-" and an empty folder leave it as it is. A finding
 * at the mark if the result does not fit. */
void path_resolve(char *path, size_t cap, const char *folder, struct findings *f,
		  const struct mark *at);
