/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - a text in the hands of a person: a file of its own, and the editor of their choice. qvmadm;
 * owned by the command that made it. What was typed is in the file until draft_remove(), whatever
 * happens to this process.
 */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "base/err.h"

struct draft {
	char folder[PATH_MAX - 256], path[PATH_MAX]; /* readable by its owner alone */
};

/* A file of that name with the text, in a new folder below $TMPDIR. ERR_RESOURCE. */
int draft_open(const char *name, const char *text, size_t n, struct draft *ret, struct err *e);
/* $VISUAL, $EDITOR or what the system has, until it ends; ERR_RESOURCE when it does not end with 0. */
int draft_edit(const struct draft *d, struct err *e);
void draft_remove(const struct draft *d);
