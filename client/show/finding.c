/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/field.h"
#include "client/source.h"
#include "client/show/table.h"
#include "client/show/term.h"
#include "client/show/utf8.h"

/* At most this many characters of a line are shown, those around the mark. */
enum { WINDOW = 100, WINDOW_BEFORE = 60 };

/* A finding with its place in the author's file. */
struct place {
	const char *file;
	unsigned line, column, length;
	char *text; /* of the line; owned */
};

static void print_mark(FILE *f, const char *line, unsigned n_before, unsigned length)
{
	size_t n = utf8_bytes(line, n_before);

	for (const char *p = line; p < line + n; p += utf8_bytes(p, 1)) {
		AUTO_FREE char *one = strndup(p, utf8_bytes(p, 1));

		if (*p == '\t') /* tabs stay, so that the caret stands below its word */
			fputc('\t', f);
		else
			fprintf(f, "%*s", (int)table_text_width(one), "");
	}
	fprintf(f, "%s^", term_on(f, TERM_GOOD));
	n = utf8_count(line + n, strlen(line + n));
	for (unsigned i = 1; i < length && i < n; i++)
		fputc('~', f);
	fprintf(f, "%s\n", term_off(f, TERM_GOOD));
}

/* The source line and, below it, the marked characters. */
static void print_source(FILE *f, const struct place *p)
{
	unsigned n = utf8_count(p->text, strlen(p->text)), first = 1;
	const char *from;
	AUTO_FREE char *shown = NULL;

	if (n > WINDOW && p->column > WINDOW_BEFORE && p->column <= n + 1)
		first = p->column - WINDOW_BEFORE;
	from = p->text + utf8_bytes(p->text, first - 1);
	shown = strndup(from, utf8_bytes(from, WINDOW));
	fprintf(f, "%6u | %s%s%s\n", p->line, first > 1 ? "..." : "", shown,
		n >= first + WINDOW ? "..." : "");
	if (p->column > n + 1) {
		fprintf(f, "       | ... in column %u\n", p->column);
		return;
	}
	if (p->column == 0) /* about the whole line */
		return;
	fprintf(f, "       | %s", first > 1 ? "   " : "");
	print_mark(f, shown, p->column - first, p->length);
}

static void find_place(const json_t *d, const struct source *s, struct place *ret)
{
	const char *file = field_text(d, "file");
	bool is_ours = s && (!*file || !strcmp(file, "<config>"));

	*ret = (struct place){
		.file = is_ours ? s->name
			: *file ? file
				: "<config>",
		.line = (unsigned)field_number(d, "line", 0),
		.column = (unsigned)field_number(d, "column", 0),
		.length = (unsigned)field_number(d, "length", 1),
	};
	if (is_ours && ret->line)
		ret->text = source_line(s, ret->line);
	if (!ret->text)
		ret->text = strdup(field_text(d, "source"));
	if (!ret->text)
		abort();
}

static void print_one(FILE *f, const json_t *d, const struct source *s)
{
	const char *severity = field_word(d, "severity"), *hint = field_text(d, "hint");
	enum term_style style = !strcmp(severity, "warning") ? TERM_BUSY
				: !strcmp(severity, "note")  ? TERM_COOL
							     : TERM_BAD;
	struct place p;

	find_place(d, s, &p);
	fprintf(f, "%s%s:", term_on(f, TERM_BOLD), p.file);
	if (p.line)
		fprintf(f, "%u:", p.line);
	if (p.line && p.column)
		fprintf(f, "%u:", p.column);
	fprintf(f, "%s %s%s:%s %s\n", term_off(f, TERM_BOLD), term_on(f, style), severity,
		term_off(f, style), field_text(d, "what"));
	if (p.line && *p.text)
		print_source(f, &p);
	if (*hint)
		fprintf(f, "       %shint: %s%s\n", term_on(f, TERM_COOL), hint,
			term_off(f, TERM_COOL));
	free(p.text);
}

static void print_counts(FILE *f, unsigned n_errors, unsigned n_warnings, int64_t n_more)
{
	if (n_errors)
		fprintf(f, "%u error%s", n_errors, n_errors == 1 ? "" : "s");
	if (n_warnings)
		fprintf(f, "%s%u warning%s", n_errors ? " and " : "", n_warnings,
			n_warnings == 1 ? "" : "s");
	if (n_more > 0)
		fprintf(f, ", %lld more not shown", (long long)n_more);
	if (n_errors || n_warnings)
		fputc('\n', f);
}

void finding_print(FILE *f, const json_t *answer, const struct source *s)
{
	json_t *list = field_list(answer, "diagnostics"), *d;
	unsigned n_errors = 0, n_warnings = 0;
	size_t i;

	json_array_foreach (list, i, d) {
		n_errors += !strcmp(field_text(d, "severity"), "error");
		n_warnings += !strcmp(field_text(d, "severity"), "warning");
		print_one(f, d, s);
	}
	print_counts(f, n_errors, n_warnings, field_number(answer, "more", 0));
}
