/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - an aligned table for people. qvmadm; made, filled and printed by one command.
 * Widths are columns of a terminal, not bytes; text is cut only to fit one.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client/show/term.h"

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table *table_new(void); /* aborts without memory, as all of table_* */
struct table *table_free(struct table *t);
static inline void table_done(struct table *const *t)
{
	table_free(*t);
}
#define AUTO_TABLE __attribute__((cleanup(table_done)))

/* All columns come before the first cell. A column that shrinks is cut when the terminal is too
 * narrow. */
void table_column(struct table *t, const char *head, enum table_align align, bool shrinks);
/* The column just added is left out of a terminal that is too narrow, those of a higher rank first; a
 * line below the table names them. rank from 1. */
void table_spare(struct table *t, unsigned rank);
/* The next cell, row by row. */
void table_cell(struct table *t, enum term_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* width 0: cut nothing. */
void table_print(struct table *t, FILE *f, unsigned indent, unsigned width);

/* Columns that the UTF-8 text takes in the present locale. */
unsigned table_text_width(const char *s);
