/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/escape.h"
#include "client/show/term.h"

enum { CONTEXT = 3 };

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void split(struct diff_text *t, const char *bytes, size_t n)
{
	*t = (struct diff_text){.bytes = bytes};
	for (size_t i = 0; i < n; i++)
		t->n_lines += bytes[i] == '\n' || i + 1 == n;
	t->begin = must(calloc(t->n_lines + 1, sizeof *t->begin));
	t->changes = must(calloc(t->n_lines + 1, sizeof *t->changes));
	for (size_t i = 0, line = 0; i < n; i++)
		if (bytes[i] == '\n' || i + 1 == n)
			t->begin[++line] = i + 1;
}

static bool is_same(const struct diff *d, size_t a, size_t b)
{
	size_t n = d->from.begin[a + 1] - d->from.begin[a];

	return n == d->to.begin[b + 1] - d->to.begin[b] &&
	       !memcmp(d->from.bytes + d->from.begin[a], d->to.bytes + d->to.begin[b], n);
}

/* What is between what both begin and end with: n lines of `from`, m of `to`, after `skip`. */
struct middle {
	size_t skip, n, m;
};

static struct middle middle_of(const struct diff *d)
{
	struct middle x = {.n = d->from.n_lines, .m = d->to.n_lines};

	while (x.skip < x.n && x.skip < x.m && is_same(d, x.skip, x.skip))
		x.skip++;
	x.n -= x.skip;
	x.m -= x.skip;
	while (x.n && x.m && is_same(d, x.skip + x.n - 1, x.skip + x.m - 1)) {
		x.n--;
		x.m--;
	}
	return x;
}

/* Row e holds how far e edits reach on the diagonals -e, -e + 2 ... e. */
static size_t place(size_t e, ptrdiff_t k)
{
	return (size_t)(k + (ptrdiff_t)e) / 2;
}

/* Does the path to diagonal k of the row after e come down, from k + 1? */
static bool comes_down(const size_t *row, size_t e, ptrdiff_t k)
{
	ptrdiff_t most = (ptrdiff_t)e;

	if (k - 1 < -most)
		return true;
	return k + 1 <= most && row[place(e, k - 1)] < row[place(e, k + 1)];
}

static size_t slide(const struct diff *d, const struct middle *x, size_t at, ptrdiff_t k)
{
	while (at < x->n && (size_t)((ptrdiff_t)at - k) < x->m &&
	       is_same(d, x->skip + at, x->skip + (size_t)((ptrdiff_t)at - k)))
		at++;
	return at;
}

/* The rows up to the one that reaches the end; false when there would be too many. */
static bool reach(const struct diff *d, const struct middle *x, size_t **row, size_t *ret_edits)
{
	for (size_t e = 0; e <= DIFF_EDITS; e++) {
		row[e] = must(calloc(e + 1, sizeof **row));
		for (ptrdiff_t k = -(ptrdiff_t)e; k <= (ptrdiff_t)e; k += 2) {
			size_t at = 0;

			if (e && comes_down(row[e - 1], e - 1, k))
				at = row[e - 1][place(e - 1, k + 1)];
			else if (e)
				at = row[e - 1][place(e - 1, k - 1)] + 1;
			/* Off the board: a step along its edge that leads nowhere. */
			if (at > x->n || (ptrdiff_t)at < k || (size_t)((ptrdiff_t)at - k) > x->m) {
				row[e][place(e, k)] = at;
				continue;
			}
			at = slide(d, x, at, k);
			row[e][place(e, k)] = at;
			if (at == x->n && (size_t)((ptrdiff_t)at - k) == x->m) {
				*ret_edits = e;
				return true;
			}
		}
	}
	return false;
}

/* From the end back to the beginning, one edit a row. */
static void mark(struct diff *d, const struct middle *x, size_t *const *row, size_t edits)
{
	ptrdiff_t k = (ptrdiff_t)x->n - (ptrdiff_t)x->m;

	for (size_t e = edits; e-- > 0;) {
		bool down = comes_down(row[e], e, k);
		size_t at;

		k += down ? 1 : -1;
		at = row[e][place(e, k)];
		if (down)
			d->to.changes[x->skip + (size_t)((ptrdiff_t)at - k)] = true;
		else
			d->from.changes[x->skip + at] = true;
	}
}

static void mark_all(struct diff *d, const struct middle *x)
{
	for (size_t i = 0; i < x->n; i++)
		d->from.changes[x->skip + i] = true;
	for (size_t i = 0; i < x->m; i++)
		d->to.changes[x->skip + i] = true;
}

static unsigned count(const struct diff_text *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n_lines; i++)
		n += t->changes[i];
	return n;
}

struct diff *diff_new(const char *from, size_t n_from, const char *to, size_t n_to)
{
	struct diff *d = must(calloc(1, sizeof *d));
	size_t **row = must(calloc(DIFF_EDITS + 1, sizeof *row)), edits;
	struct middle x;

	split(&d->from, from, n_from);
	split(&d->to, to, n_to);
	x = middle_of(d);
	if (reach(d, &x, row, &edits))
		mark(d, &x, row, edits);
	else
		mark_all(d, &x);
	for (size_t e = 0; e <= DIFF_EDITS; e++)
		free(row[e]);
	free(row);
	d->n_gone = count(&d->from);
	d->n_come = count(&d->to);
	return d;
}

struct diff *diff_free(struct diff *d)
{
	if (!d)
		return NULL;
	free(d->from.begin);
	free(d->from.changes);
	free(d->to.begin);
	free(d->to.changes);
	free(d);
	return NULL;
}

static void print_line(FILE *f, enum term_style style, char sign, const struct diff_text *t,
		       size_t i)
{
	const char *line = t->bytes + t->begin[i];
	size_t n = t->begin[i + 1] - t->begin[i];
	bool has_end = n && line[n - 1] == '\n';
	AUTO_FREE char *shown = term_is_tty(f) ? escape_text(line, n - has_end) : NULL;

	fprintf(f, "%s%c", term_on(f, style), sign);
	if (shown)
		fputs(shown, f);
	else
		fwrite(line, 1, n - has_end, f);
	fprintf(f, "%s\n%s", term_off(f, style), has_end ? "" : "\\ No newline at end of file\n");
}

/* "12,3": the first line and how many; of none, the line before. */
static void print_range(FILE *f, char sign, size_t first, size_t n)
{
	fprintf(f, "%c%zu", sign, n ? first + 1 : first);
	if (n != 1)
		fprintf(f, ",%zu", n);
}

/* Lines first to end of one text, and those of the other that belong to them. */
struct hunk {
	size_t from, from_end, to, to_end;
};

static void print_hunk(const struct diff *d, FILE *f, const struct hunk *h)
{
	size_t i = h->from, j = h->to;

	fprintf(f, "%s@@ ", term_on(f, TERM_COOL));
	print_range(f, '-', h->from, h->from_end - h->from);
	fputc(' ', f);
	print_range(f, '+', h->to, h->to_end - h->to);
	fprintf(f, " @@%s\n", term_off(f, TERM_COOL));
	while (i < h->from_end || j < h->to_end) {
		if (i < h->from_end && d->from.changes[i])
			print_line(f, TERM_BAD, '-', &d->from, i++);
		else if (j < h->to_end && d->to.changes[j])
			print_line(f, TERM_GOOD, '+', &d->to, j++);
		else {
			print_line(f, TERM_PLAIN, ' ', &d->from, i++);
			j++;
		}
	}
}

/* Lines that both have from here on, at most `most`. */
static size_t calm(const struct diff *d, size_t i, size_t j, size_t most)
{
	size_t n = 0;

	while (n < most && i + n < d->from.n_lines && j + n < d->to.n_lines &&
	       !d->from.changes[i + n] && !d->to.changes[j + n])
		n++;
	return n;
}

/* The next one after that place; false = there is none. */
static bool next_hunk(const struct diff *d, size_t i, size_t j, struct hunk *ret)
{
	size_t n = calm(d, i, j, SIZE_MAX), before = n < CONTEXT ? n : CONTEXT;

	i += n;
	j += n;
	if (i == d->from.n_lines && j == d->to.n_lines)
		return false;
	*ret = (struct hunk){.from = i - before, .to = j - before};
	for (;;) {
		while (i < d->from.n_lines && d->from.changes[i])
			i++;
		while (j < d->to.n_lines && d->to.changes[j])
			j++;
		n = calm(d, i, j, 2 * CONTEXT + 1);
		if (n > 2 * CONTEXT || (i + n == d->from.n_lines && j + n == d->to.n_lines))
			break;
		i += n;
		j += n;
	}
	n = n < CONTEXT ? n : CONTEXT;
	ret->from_end = i + n;
	ret->to_end = j + n;
	return true;
}

void diff_print(const struct diff *d, FILE *f, const char *from_name, const char *to_name)
{
	struct hunk h = {0};

	if (diff_is_empty(d))
		return;
	fprintf(f, "%s--- %s\n+++ %s%s\n", term_on(f, TERM_BOLD), from_name, to_name,
		term_off(f, TERM_BOLD));
	while (next_hunk(d, h.from_end, h.to_end, &h))
		print_hunk(d, f, &h);
}
