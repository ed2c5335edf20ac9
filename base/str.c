/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool str_copy(char *dst, size_t cap, const char *src)
{
	size_t n = strnlen(src, cap);
	bool fits = n < cap;

	if (!fits)
		n = cap - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}

void str_add(char *buf, size_t cap, size_t *len, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (*len + 1 >= cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf + *len, cap - *len, fmt, ap);
	va_end(ap);
	if (n > 0)
		*len = *len + (size_t)n < cap ? *len + (size_t)n : cap - 1;
}

bool str_is_terminated(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

enum { MOST = 64 }; /* letters of a word that are compared */

unsigned str_distance(const char *a, const char *b)
{
	unsigned rows[3][MOST + 1], *row = rows[0], *last = rows[1], *before = rows[2];
	size_t na = strnlen(a, MOST), nb = strnlen(b, MOST);

	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *oldest = before;

		before = last;
		last = row;
		row = oldest;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

struct str_near str_near(const char *word)
{
	unsigned slips = (unsigned)strnlen(word, MOST) / 3;

	return (struct str_near){.word = word, .least = (slips ? slips : 1) + 1};
}

unsigned str_try(struct str_near *n, const char *candidate)
{
	unsigned edits = str_distance(n->word, candidate);

	if (edits < n->least) {
		n->least = edits;
		n->near = candidate;
	}
	return edits;
}

void str_printable(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c != '\t' && c != '\n' && (c < 0x20 || c > 0x7e))
			s[i] = '?';
	}
}

const char *str_bytes(uint64_t n, char ret[static 24])
{
	static const char unit[] = "KMGT";
	int u = -1;

	while (n && n % 1024 == 0 && u < 3) {
		n /= 1024;
		u++;
	}
	if (u < 0)
		snprintf(ret, 24, n ? "%" PRIu64 " B" : "0", n);
	else
		snprintf(ret, 24, "%" PRIu64 "%c", n, unit[u]);
	return ret;
}
