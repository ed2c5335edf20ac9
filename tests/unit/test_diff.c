/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "tests/unit/test.h"

static char *printed(const struct diff *d)
{
	char *text = NULL;
	size_t n;
	FILE *f = tmpfile();

	assert_non_null(f);
	diff_print(d, f, "a", "b");
	n = (size_t)ftell(f);
	rewind(f);
	text = calloc(1, n + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, n, f), n);
	fclose(f);
	return text;
}

static void expect(const char *from, const char *to, const char *expected)
{
	AUTO_DIFF struct diff *d = diff_new(from, strlen(from), to, strlen(to));
	AUTO_FREE char *text = printed(d);

	assert_string_equal(text, expected);
}

TEST(diff_of_the_same_is_nothing)
{
	expect("", "", "");
	expect("a\nb\n", "a\nb\n", "");
	expect("a", "a", "");
}

TEST(diff_tells_what_goes_and_comes_with_its_context)
{
	expect("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nfive\n6\n7\n8\n",
	       "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	expect("", "1\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+1\n");
	expect("1\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-1\n");
	expect("1\n", "1\n2\n", "--- a\n+++ b\n@@ -1 +1,2 @@\n 1\n+2\n");
	expect("x\n1\n2\n", "1\n2\n", "--- a\n+++ b\n@@ -1,3 +1,2 @@\n-x\n 1\n 2\n");
}

TEST(diff_tells_a_missing_newline_at_the_end)
{
	expect("1\n2", "1\n2\n",
	       "--- a\n+++ b\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n");
}

TEST(diff_parts_changes_that_are_far_apart_and_joins_those_that_are_not)
{
	expect("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
	       "--- a\n+++ b\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	expect("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
	       "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
	       "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static size_t common(const struct diff_text *t, const char **line, size_t *n)
{
	size_t found = 0;

	for (size_t i = 0; i < t->n_lines; i++) {
		if (t->changes[i])
			continue;
		line[found] = t->bytes + t->begin[i];
		n[found++] = t->begin[i + 1] - t->begin[i];
	}
	return found;
}

/* The least number of edits, by the table that is as long as it is wide. */
static size_t least(const struct diff_text *a, const struct diff_text *b)
{
	size_t width = b->n_lines + 1, *cost = calloc((a->n_lines + 1) * width, sizeof *cost), r;

	assert_non_null(cost);
	for (size_t i = 0; i <= a->n_lines; i++)
		for (size_t j = 0; j <= b->n_lines; j++) {
			size_t *c = &cost[i * width + j];

			if (!i || !j) {
				*c = i + j;
				continue;
			}
			*c = 1 + (c[-1] < c[-(ptrdiff_t)width] ? c[-1] : c[-(ptrdiff_t)width]);
			if (a->bytes[a->begin[i - 1]] == b->bytes[b->begin[j - 1]] &&
			    c[-(ptrdiff_t)width - 1] < *c)
				*c = c[-(ptrdiff_t)width - 1];
		}
	r = cost[a->n_lines * width + b->n_lines];
	free(cost);
	return r;
}

/* What stays is the same on both sides, in order; and no shorter way leads there. */
TEST(diff_by_chance_leads_from_one_text_to_the_other_in_the_fewest_steps)
{
	const char *line[2][64];
	size_t n[2][64];
	unsigned seed = 1;

	for (unsigned round = 0; round < 3000; round++) {
		char text[2][64];
		size_t bytes[2];

		for (unsigned t = 0; t < 2; t++) {
			bytes[t] = 0;
			for (unsigned i = (unsigned)rand_r(&seed) % 24; i; i--) {
				text[t][bytes[t]++] = (char)('a' + rand_r(&seed) % 4);
				text[t][bytes[t]++] = '\n';
			}
		}
		AUTO_DIFF struct diff *d = diff_new(text[0], bytes[0], text[1], bytes[1]);
		size_t kept = common(&d->from, line[0], n[0]);

		assert_int_equal(common(&d->to, line[1], n[1]), kept);
		for (size_t i = 0; i < kept; i++) {
			assert_int_equal(n[0][i], n[1][i]);
			assert_memory_equal(line[0][i], line[1][i], n[0][i]);
		}
		assert_int_equal(d->n_gone + d->n_come, least(&d->from, &d->to));
	}
}

TEST(diff_of_texts_with_nothing_in_common_is_bounded)
{
	enum { LINES = 50000, ROOM = LINES * 8 };
	char *a = malloc(ROOM), *b = malloc(ROOM);
	size_t n_a = 0, n_b = 0;

	assert_non_null(a);
	assert_non_null(b);
	for (int i = 0; i < LINES; i++) {
		n_a += (size_t)snprintf(a + n_a, ROOM - n_a, "a%d\n", i);
		n_b += (size_t)snprintf(b + n_b, ROOM - n_b, "b%d\n", i);
	}
	AUTO_DIFF struct diff *d = diff_new(a, n_a, b, n_b);
	assert_int_equal(d->n_gone, LINES);
	assert_int_equal(d->n_come, LINES);
	free(a);
	free(b);
}
