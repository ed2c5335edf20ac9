/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unknown.h - what to say of a word that is not what may stand there: the nearest that may, or what
 * the writer probably meant. Worker.
 */
#pragma once

#include <stddef.h>

struct parse;
struct token;

/* A word where an option must stand. Returns the option it most likely is, or NULL. */
const char *unknown_option(struct parse *p, const struct token *t);
/* A name behind `vdev` that has no class. */
void unknown_vdev(struct parse *p, const struct token *t, const char *name);
/* A word behind `set` that is no variable. */
void unknown_variable(struct parse *p, const struct token *t);
/* A word that must be one of the n given: "`what` must be one of a, b, c". */
void unknown_keyword(struct parse *p, const struct token *t, const char *word,
		     const char *const *keyword, size_t n, const char *what);
