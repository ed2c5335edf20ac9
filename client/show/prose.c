/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/prose.h"

#include <stdbool.h>
#include <string.h>

#include "client/show/term.h"
#include "client/show/utf8.h"

enum { WIDEST = 100, WITHOUT = 80, NARROWEST = 24, SHALLOW = 4 };

static unsigned room(FILE *f)
{
	unsigned width = term_width(f);

	return !width ? WITHOUT : width > WIDEST ? WIDEST : width < NARROWEST ? NARROWEST : width;
}

/* One paragraph: words, and blanks between them. */
static void fill(FILE *f, const char *text, const char *end, unsigned at, unsigned indent)
{
	unsigned width = room(f);
	bool is_first = true;

	for (;;) {
		size_t n;
		unsigned columns;

		while (text < end && (*text == ' ' || *text == '\n'))
			text++;
		if (text == end)
			break;
		for (n = 0; text + n < end && text[n] != ' ' && text[n] != '\n';)
			n++;
		columns = utf8_count(text, n);
		if (!is_first && at + 1 + columns > width) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
			is_first = true;
		}
		fprintf(f, "%s%.*s", is_first ? "" : " ", (int)n, text);
		at += columns + !is_first;
		is_first = false;
		text += n;
	}
	fputc('\n', f);
}

static bool ends_paragraph(const char *line, const char *end)
{
	return line >= end || *line == '\n' || *line == ' ';
}

void prose_print(FILE *f, const char *text, size_t n, unsigned at, unsigned indent)
{
	const char *end = text + n;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));

		next = next ? next + 1 : end;
		if (*text == '\n' || *text == ' ') {
			fprintf(f, "%.*s", (int)(next - text), text);
			text = next;
			if (text == end && text[-1] != '\n')
				fputc('\n', f);
			continue;
		}
		while (!ends_paragraph(next, end)) {
			const char *line = memchr(next, '\n', (size_t)(end - next));

			next = line ? line + 1 : end;
		}
		fill(f, text, next, at, indent);
		at = indent;
		text = next;
	}
}

void prose_behind(FILE *f, const char *text, unsigned at)
{
	unsigned width = term_width(f);

	if (!width || *text == ' ' || !*text)
		fprintf(f, "%s\n", text);
	else
		prose_print(f, text, strlen(text), at, width >= 2 * at ? at : SHALLOW);
}
