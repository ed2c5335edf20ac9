/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosting.h - what a sound board names of its host, asked for before a start: the findings of a dry
 * run about files. Worker. conf opens nothing: source->probe asks.
 */
#pragma once

struct board;
struct conf_source;
struct draft;
struct findings;
struct lex;

/* Ask source->probe about each, in order of the configuration. */
void hosting_check(const struct draft *d, const struct conf_source *s, const struct lex *l,
		   struct findings *f);
/* Then of the board that the draft became: do its images load? */
void hosting_rehearse(struct board *b, const struct draft *d, const struct conf_source *s,
		      const struct lex *l, struct findings *f);
