/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/quote.h"

#include <stdio.h>
#include <string.h>

#include "client/show/term.h"

static const char *last_lines(const char *text, unsigned most)
{
	size_t n = strlen(text);

	if (n && text[n - 1] == '\n')
		n--;
	while (n && (text[n - 1] != '\n' || --most))
		n--;
	return text + n;
}

void quote_print(const char *text, unsigned indent, unsigned most)
{
	if (most)
		text = last_lines(text, most);
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("%*s%s%s%s %.*s\n", (int)indent, "", term_on(stdout, TERM_DIM), term_bar(),
		       term_off(stdout, TERM_DIM), (int)n, text);
		text += n + (text[n] == '\n');
	}
}
