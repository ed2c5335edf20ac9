/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/auto.h"

enum { COLUMNS = 16, GAP = 2, NARROWEST = 6 };

struct cell {
	char *text;
	enum term_style style;
};

struct table {
	struct column {
		const char *head;
		enum table_align align;
		bool shrinks;
	} column[COLUMNS];
	unsigned n_columns;
	struct cell *cell;
	size_t n_cells, cap;
};

struct table *table_new(void)
{
	struct table *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	return t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cell[i].text);
	free(t->cell);
	free(t);
	return NULL;
}

void table_column(struct table *t, const char *head, enum table_align align, bool shrinks)
{
	if (t->n_columns == COLUMNS)
		abort();
	t->column[t->n_columns++] = (struct column){head, align, shrinks};
}

void table_cell(struct table *t, enum term_style style, const char *fmt, ...)
{
	struct cell c = {.style = style};
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&c.text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (t->n_cells == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->cell = reallocarray(t->cell, t->cap, sizeof *t->cell);
		if (!t->cell)
			abort();
	}
	t->cell[t->n_cells++] = c;
}

/* Bytes of the longest prefix of at most `most` columns; *ret_width = its columns. A byte that is
 * no character of the locale counts as one column. */
static size_t fit(const char *s, unsigned most, unsigned *ret_width)
{
	size_t n = strlen(s), at = 0;
	mbstate_t state = {0};
	unsigned width = 0;

	while (at < n) {
		wchar_t c;
		size_t bytes = mbrtowc(&c, s + at, n - at, &state);
		int columns = 1;

		if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
			state = (mbstate_t){0};
			bytes = 1;
		} else {
			columns = wcwidth(c);
		}
		if (columns < 0)
			columns = 1;
		if (width + (unsigned)columns > most)
			break;
		width += (unsigned)columns;
		at += bytes;
	}
	*ret_width = width;
	return at;
}

unsigned table_text_width(const char *s)
{
	unsigned width;

	fit(s, ~0U, &width);
	return width;
}

/* The widest column that may shrink gives way, until all fits or none can give more. */
static void shrink(const struct table *t, unsigned *width, unsigned room)
{
	for (;;) {
		unsigned total = 0, widest = COLUMNS;

		for (unsigned c = 0; c < t->n_columns; c++) {
			total += width[c] + (c ? GAP : 0);
			if (t->column[c].shrinks && width[c] > NARROWEST &&
			    (widest == COLUMNS || width[c] > width[widest]))
				widest = c;
		}
		if (total <= room || widest == COLUMNS)
			return;
		width[widest]--;
	}
}

static void print_cell(FILE *f, const struct cell *c, const struct column *col, unsigned width,
		       bool is_last)
{
	unsigned columns;
	size_t n = fit(c->text, width, &columns);
	bool is_cut = c->text[n] != '\0';

	if (is_cut)
		n = fit(c->text, width - 1, &columns);
	if (col->align == TABLE_RIGHT)
		fprintf(f, "%*s", (int)(width - columns - is_cut), "");
	fprintf(f, "%s%.*s%s%s", term_on(f, c->style), (int)n, c->text,
		is_cut ? term_ellipsis() : "", term_off(f, c->style));
	if (!is_last)
		fprintf(f, "%*s",
			(int)((col->align == TABLE_LEFT ? width - columns - is_cut : 0) + GAP), "");
}

void table_print(const struct table *t, FILE *f, unsigned indent, unsigned room)
{
	unsigned width[COLUMNS] = {0};

	if (t->n_columns == 0)
		return;
	for (unsigned c = 0; c < t->n_columns; c++)
		width[c] = table_text_width(t->column[c].head);
	for (size_t i = 0; i < t->n_cells; i++) {
		unsigned w = table_text_width(t->cell[i].text);

		if (w > width[i % t->n_columns])
			width[i % t->n_columns] = w;
	}
	if (room)
		shrink(t, width, room > indent ? room - indent : 1);
	fprintf(f, "%*s", (int)indent, "");
	for (unsigned c = 0; c < t->n_columns; c++) {
		struct cell head = {(char *)t->column[c].head, TERM_BOLD};

		print_cell(f, &head, &t->column[c], width[c], c + 1 == t->n_columns);
	}
	fputc('\n', f);
	for (size_t i = 0; i < t->n_cells; i++) {
		unsigned c = (unsigned)(i % t->n_columns);

		if (c == 0)
			fprintf(f, "%*s", (int)indent, "");
		print_cell(f, &t->cell[i], &t->column[c], width[c], c + 1 == t->n_columns);
		if (c + 1 == t->n_columns)
			fputc('\n', f);
	}
}
