/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - the local host part of a worker that runs alone: opens what the board wants with the
 * user's own rights, before the sandbox closes. Under the supervisor, qvmd does this.
 */
#pragma once

#include "base/err.h"

struct board;
struct want;

/* One of each kind of schemas/wants.def; opens it for host_open(). */
#define WANT(id, lower, name, warm, what)                                                          \
	int host_open_##lower(const struct want *w, const struct board *b, struct err *e);
#include "schemas/wants.def"
#undef WANT

/* The folder of a file that is to be made, held open, and its name in it. */
int host_folder(const char *path, const char **ret_name, int *ret_fd, struct err *e);
/* Open it: *w->fd is set. The error names the configuration line and what to do. */
int host_open(const struct want *w, const struct board *b, struct err *e);
