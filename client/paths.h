/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.h - host paths of a configuration, made absolute before it leaves its folder. qvmadm.
 *
 * The API takes text only and a supervised worker sees no folder, so `load images/kernel` means
 * nothing there. Only the words after `load` and `hostdev` are touched, in place: lines stay lines,
 * and the list of edits maps a column of the new text back to the file as its author wrote it.
 * Of the language only the form of words is known here, and from schemas/qvmconf.def how many of
 * them belong to an option.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct paths_edit {
	unsigned line, column; /* from 1, in characters, of the word as its author wrote it */
	unsigned old_length, new_length; /* of the word, in characters */
	char *path;			 /* what it became */
};

struct paths {
	char *text; /* terminated */
	size_t bytes;
	struct paths_edit *edit; /* in order */
	size_t n_edits;
};

/* folder and cwd are absolute; cwd counts when the text says `set path-base cwd`. ERR_CONFIG when
 * the folder's name cannot be written in the language. */
int paths_absolute(const char *text, size_t bytes, const char *folder, const char *cwd,
		   struct paths *ret, struct err *e);
void paths_free(struct paths *p);
#define AUTO_PATHS __attribute__((cleanup(paths_free)))

/* A mark in the new text, moved to where its author finds it. */
void paths_map_back(const struct paths *p, unsigned line, unsigned *column, unsigned *length);
