/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/auto.h"

/* READABLE: a column that shrinks keeps so much while others can be left out. */
enum { COLUMNS = 16, GAP = 2, NARROWEST = 6, READABLE = 16 };

struct cell {
	char *text;
	enum term_style style;
};

struct table {
	struct column {
		const char *head;
		enum table_align align;
		bool shrinks, is_left_out;
		unsigned rank; /* 0 = it stays */
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
	t->column[t->n_columns++] =
		(struct column){.head = head, .align = align, .shrinks = shrinks};
}

void table_spare(struct table *t, unsigned rank)
{
	t->column[t->n_columns - 1].rank = rank;
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

static unsigned total(const struct table *t, const unsigned *width)
{
	unsigned sum = 0;

	for (unsigned c = 0; c < t->n_columns; c++)
		if (!t->column[c].is_left_out)
			sum += width[c] + (sum ? GAP : 0);
	return sum;
}

/* The widest column that may shrink gives way, until all fits or none can give more. */
static bool shrink(const struct table *t, unsigned *width, unsigned least, unsigned room)
{
	while (total(t, width) > room) {
		unsigned widest = COLUMNS;

		for (unsigned c = 0; c < t->n_columns; c++)
			if (t->column[c].shrinks && !t->column[c].is_left_out && width[c] > least &&
			    (widest == COLUMNS || width[c] > width[widest]))
				widest = c;
		if (widest == COLUMNS)
			return false;
		width[widest]--;
	}
	return true;
}

/* The next column to go; false when all that are left stay. */
static bool leave_out(struct table *t)
{
	struct column *next = NULL;

	for (unsigned c = 0; c < t->n_columns; c++)
		if (t->column[c].rank && !t->column[c].is_left_out &&
		    (!next || t->column[c].rank > next->rank))
			next = &t->column[c];
	if (next)
		next->is_left_out = true;
	return next != NULL;
}

/* Few columns that can be read are better than all of them cut. */
static void fit_in(struct table *t, unsigned *width, unsigned room)
{
	unsigned whole[COLUMNS];

	for (unsigned c = 0; c < t->n_columns; c++)
		t->column[c].is_left_out = false;
	if (!room)
		return;
	memcpy(whole, width, sizeof whole);
	while (!shrink(t, width, READABLE, room) && leave_out(t))
		memcpy(width, whole, sizeof whole);
	shrink(t, width, NARROWEST, room);
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

static void print_row(const struct table *t, FILE *f, const struct cell *cell,
		      const unsigned *width, unsigned indent)
{
	unsigned last = 0;

	for (unsigned c = 0; c < t->n_columns; c++)
		if (!t->column[c].is_left_out)
			last = c;
	fprintf(f, "%*s", (int)indent, "");
	for (unsigned c = 0; c < t->n_columns; c++)
		if (!t->column[c].is_left_out)
			print_cell(f, &cell[c], &t->column[c], width[c], c == last);
	fputc('\n', f);
}

static void print_left_out(const struct table *t, FILE *f, unsigned indent)
{
	bool is_first = true;

	for (unsigned c = 0; c < t->n_columns; c++) {
		if (!t->column[c].is_left_out)
			continue;
		if (is_first)
			fprintf(f, "%*s%s(too narrow for ", (int)indent, "", term_on(f, TERM_DIM));
		fprintf(f, "%s%s", is_first ? "" : ", ", t->column[c].head);
		is_first = false;
	}
	if (!is_first)
		fprintf(f, ")%s\n", term_off(f, TERM_DIM));
}

void table_print(struct table *t, FILE *f, unsigned indent, unsigned room)
{
	unsigned width[COLUMNS] = {0};
	struct cell head[COLUMNS];

	if (t->n_columns == 0)
		return;
	for (unsigned c = 0; c < t->n_columns; c++) {
		head[c] = (struct cell){(char *)t->column[c].head, TERM_BOLD};
		width[c] = table_text_width(t->column[c].head);
	}
	for (size_t i = 0; i < t->n_cells; i++) {
		unsigned w = table_text_width(t->cell[i].text);

		if (w > width[i % t->n_columns])
			width[i % t->n_columns] = w;
	}
	fit_in(t, width, room > indent ? room - indent : room ? 1 : 0);
	print_row(t, f, head, width, indent);
	for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
		print_row(t, f, &t->cell[i], width, indent);
	print_left_out(t, f, indent);
}
