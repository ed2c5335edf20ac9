/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/diagnostic.h"

#include <jansson.h>
#include <string.h>

#include "vmm/conf/utf8.h"

struct paint {
	const char *place, *severity, *mark, *hint, *off;
};

static const struct paint plain = {"", "", "", "", ""};

static struct paint paint_of(const struct diagnostic *d, bool colour)
{
	static const char *const severity[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};
	struct paint p = plain;

	if (!colour)
		return p;
	p.place = "\033[1m";
	p.severity = severity[d->severity <= DIAGNOSTIC_NOTE ? d->severity : DIAGNOSTIC_ERROR];
	p.mark = "\033[1;32m";
	p.hint = "\033[36m";
	p.off = "\033[0m";
	return p;
}

/* At most this many columns of a line are shown, those around the mark. */
enum { WINDOW = 100, WINDOW_BEFORE = 60 };

static size_t next(const char *s, size_t n)
{
	size_t bytes = utf8_char(s, n);

	return bytes ? bytes : 1;
}

/* The source line and, below it, the marked columns. Tabs are kept in both, so that they align. */
static void print_source(const struct diagnostic *d, FILE *out, const struct paint *p)
{
	size_t n = strnlen(d->source, sizeof d->source), from = 0, to, i;
	unsigned columns = utf8_columns(d->source, n), first = 1, column;

	if (columns > WINDOW && d->column > WINDOW_BEFORE)
		first = d->column - WINDOW_BEFORE;
	if (d->column > columns + 1)
		first = 1; /* the line was cut before the marked place */
	for (column = 1; column < first; column++)
		from += next(d->source + from, n - from);
	for (to = from; to < n && column < first + WINDOW; column++)
		to += next(d->source + to, n - to);
	fprintf(out, "%6u | %s%.*s%s\n", d->line, from ? "..." : "", (int)(to - from),
		d->source + from, to < n ? "..." : "");
	if (d->column > columns + 1) {
		fprintf(out, "       | %s... in column %u%s\n", p->mark, d->column, p->off);
		return;
	}
	fprintf(out, "       | %s", from ? "   " : "");
	for (i = from, column = first; column < d->column; column++) {
		fputc(d->source[i] == '\t' ? '\t' : ' ', out);
		i += next(d->source + i, n - i);
	}
	fprintf(out, "%s^", p->mark);
	columns = utf8_columns(d->source + i, to - i);
	for (column = 1; column < d->length && column < columns; column++)
		fputc('~', out);
	fprintf(out, "%s\n", p->off);
}

void diagnostic_print(const struct diagnostic *d, FILE *out, bool colour)
{
	struct paint p = paint_of(d, colour);

	fprintf(out, "%s%s:", p.place, d->file);
	if (d->line)
		fprintf(out, "%u:%u:", d->line, d->column);
	fprintf(out, "%s %s%s:%s %s\n", p.off, p.severity, diagnostic_severity_id(d->severity),
		p.off, d->what);
	if (d->line)
		print_source(d, out, &p);
	if (d->hint[0])
		fprintf(out, "       %shint: %s%s\n", p.hint, d->hint, p.off);
}

void diagnostic_print_counts(unsigned n_errors, unsigned n_warnings, unsigned n_shown, FILE *out)
{
	unsigned n = n_errors + n_warnings;

	if (n == 0)
		return;
	if (n_errors)
		fprintf(out, "%u error%s", n_errors, n_errors == 1 ? "" : "s");
	if (n_warnings)
		fprintf(out, "%s%u warning%s", n_errors ? " and " : "", n_warnings,
			n_warnings == 1 ? "" : "s");
	if (n > n_shown)
		fprintf(out, ", %u of them not shown", n - n_shown);
	fputc('\n', out);
}

json_t *diagnostic_json(const struct diagnostic *d)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s}", "severity",
			 diagnostic_severity_id(d->severity), "file", d->file, "line", (int)d->line,
			 "column", (int)d->column, "length", (int)d->length, "source", d->source,
			 "what", d->what, "hint", d->hint);
}
