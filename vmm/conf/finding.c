/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/utf8.h"

struct finding {
	struct mark at;
	unsigned serial; /* of those at one place, the first found comes first */
	struct diagnostic d;
};

void finding_open(struct findings *f, const struct page *page, unsigned n_pages)
{
	*f = (struct findings){.page = page, .n_pages = n_pages};
	f->kept = calloc(DIAGNOSTIC_MOST + 1, sizeof *f->kept);
	if (!f->kept)
		abort();
}

void finding_close(struct findings *f)
{
	free(f->kept);
	f->kept = NULL;
}

/* Text of any length into a field: cut between characters, an ellipsis instead of the rest. */
__attribute__((format(printf, 3, 0))) static void fill(char *dst, size_t cap, const char *fmt,
						       va_list ap)
{
	char text[1024];
	int n = vsnprintf(text, sizeof text, fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n < cap) {
		utf8_copy(dst, cap, text, (size_t)n);
		return;
	}
	utf8_copy(dst, cap - 3, text, strlen(text));
	memcpy(dst + strlen(dst), "...", 4);
}

static void quote_source(struct diagnostic *d, const struct page *page, const struct mark *at)
{
	const char *line = page->text + at->line_at;
	size_t left = page->bytes - at->line_at;
	const char *end = left ? memchr(line, '\n', left) : NULL;
	size_t n = end ? (size_t)(end - line) : left;

	if (n > 0 && line[n - 1] == '\r')
		n--;
	utf8_copy(d->source, sizeof d->source, line, n);
}

struct diagnostic *finding_add(struct findings *f, enum diagnostic_severity severity,
			       const struct mark *at, const char *fmt, ...)
{
	struct finding *new = &f->kept[f->n_kept];
	const struct page *page;
	va_list ap;

	if (f->n_kept < DIAGNOSTIC_MOST)
		f->n_kept++;
	f->n_errors += severity == DIAGNOSTIC_ERROR;
	f->n_warnings += severity == DIAGNOSTIC_WARNING;

	*new = (struct finding){.serial = f->n_kept, .d.severity = severity, .d.length = 1};
	if (!at || at->line == 0)
		new->at.part = 0; /* the configuration goes by the name of its first part */
	else
		new->at = *at;
	page = f->n_pages ? &f->page[new->at.part] : NULL;
	utf8_copy(new->d.file, sizeof new->d.file, page ? page->name : "<config>",
		  strlen(page ? page->name : "<config>"));
	if (page && new->at.line) {
		new->d.line = new->at.line;
		new->d.column = new->at.column;
		new->d.length = new->at.length ? new->at.length : 1;
		quote_source(&new->d, page, &new->at);
	}
	va_start(ap, fmt);
	fill(new->d.what, sizeof new->d.what, fmt, ap);
	va_end(ap);
	return &new->d;
}

void finding_hint(struct diagnostic *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(d->hint, sizeof d->hint, fmt, ap);
	va_end(ap);
}

static int by_position(const void *left, const void *right)
{
	const struct mark *a = &((const struct finding *)left)->at;
	const struct mark *b = &((const struct finding *)right)->at;

	if (!a->line != !b->line)
		return a->line ? -1 : 1; /* what is about the whole comes last */
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return ((const struct finding *)left)->serial < ((const struct finding *)right)->serial ? -1
												: 1;
}

void finding_report(struct findings *f, conf_report *report, void *arg)
{
	qsort(f->kept, f->n_kept, sizeof *f->kept, by_position);
	for (unsigned i = 0; report && i < f->n_kept; i++)
		report(arg, &f->kept[i].d);
}

const struct diagnostic *finding_first_error(const struct findings *f)
{
	for (unsigned i = 0; i < f->n_kept; i++)
		if (f->kept[i].d.severity == DIAGNOSTIC_ERROR)
			return &f->kept[i].d;
	return NULL;
}

const char *finding_where(const struct findings *f, const struct mark *at, const struct mark *from,
			  char ret[static FINDING_WHERE])
{
	if (at->line == 0)
		snprintf(ret, FINDING_WHERE, "the board itself");
	else if (from && from->line && at->part == from->part)
		snprintf(ret, FINDING_WHERE, "line %u", at->line);
	else
		snprintf(ret, FINDING_WHERE, "%.120s:%u", f->page[at->part].name, at->line);
	return ret;
}
