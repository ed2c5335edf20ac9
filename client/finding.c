/* SPDX-License-Identifier: Apache-2.0 */
#include "client/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/field.h"
#include "client/source.h"
#include "client/table.h"
#include "client/term.h"
#include "client/utf8.h"

/* The marked text under a quoted line: tabs stay tabs, so that the caret stands below its word. */
static void print_caret(FILE *f, const char *line, unsigned column, unsigned length)
{
	size_t n = utf8_bytes(line, column - 1);
	AUTO_FREE char *before = strndup(line, n);
	AUTO_FREE char *marked = strndup(line + n, utf8_bytes(line + n, length));
	unsigned width = table_text_width(marked);

	fputs("  ", f);
	for (char *p = before; *p;) {
		size_t run = strcspn(p, "\t");
		char tab = p[run];

		p[run] = '\0';
		fprintf(f, "%*s", (int)table_text_width(p), "");
		if (!tab)
			break;
		fputc('\t', f);
		p += run + 1;
	}
	fprintf(f, "%s^", term_on(f, TERM_GOOD));
	while (width-- > 1)
		fputc('~', f);
	fprintf(f, "%s\n", term_off(f, TERM_GOOD));
}

static void print_place(FILE *f, const char *file, unsigned line, unsigned column)
{
	fprintf(f, "%s%s:", term_on(f, TERM_BOLD), file);
	if (line)
		fprintf(f, "%u:%u:", line, column ? column : 1);
	fprintf(f, "%s ", term_off(f, TERM_BOLD));
}

static void print_one(FILE *f, const json_t *d, const struct source *s)
{
	const char *severity = field_text(d, "severity"), *file = field_text(d, "file");
	const char *hint = field_text(d, "hint");
	unsigned line = (unsigned)field_number(d, "line", 0);
	unsigned column = (unsigned)field_number(d, "column", 0);
	unsigned length = (unsigned)field_number(d, "length", 1);
	bool is_ours = s && (!*file || !strcmp(file, "<config>"));
	AUTO_FREE char *text = NULL;
	enum term_style style = !strcmp(severity, "warning") ? TERM_BUSY
				: !strcmp(severity, "note")  ? TERM_COOL
							     : TERM_BAD;

	if (is_ours) {
		paths_map_back(&s->sent, line, &column, &length);
		text = source_line(s, line);
	}
	if (!text)
		text = strdup(field_text(d, "source"));
	print_place(f, is_ours ? s->name : *file ? file : "<config>", line, column);
	fprintf(f, "%s%s:%s %s\n", term_on(f, style), *severity ? severity : "error",
		term_off(f, style), field_text(d, "what"));
	if (line && text && *text) {
		fprintf(f, "  %s\n", text);
		if (column)
			print_caret(f, text, column, length);
	}
	if (*hint)
		fprintf(f, "  %shint:%s %s\n", term_on(f, TERM_COOL), term_off(f, TERM_COOL), hint);
}

void finding_print(FILE *f, const json_t *diagnostics, const struct source *s)
{
	json_t *d;
	size_t i;

	json_array_foreach((json_t *)diagnostics, i, d)
		print_one(f, d, s);
}
