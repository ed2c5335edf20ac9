/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void expect(const struct table *t, unsigned indent, unsigned width, const char *expected)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = tmpfile();

	assert_non_null(f);
	table_print(t, f, indent, width);
	n = (size_t)ftell(f);
	rewind(f);
	text = calloc(1, n + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, n, f), n);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
}

static struct table *two_columns(void)
{
	struct table *t = table_new();

	table_column(t, "NAME", TABLE_LEFT, true);
	table_column(t, "N", TABLE_RIGHT, false);
	return t;
}

TEST(table_aligns_and_leaves_no_space_at_the_end)
{
	AUTO_TABLE struct table *t = two_columns();

	table_cell(t, TERM_PLAIN, "a");
	table_cell(t, TERM_PLAIN, "%d", 1234);
	table_cell(t, TERM_GOOD, "longer");
	table_cell(t, TERM_PLAIN, "5");
	expect(t, 0, 0, "NAME       N\na       1234\nlonger     5\n");
	expect(t, 2, 0, "  NAME       N\n  a       1234\n  longer     5\n");
}

TEST(table_without_rows_is_its_head)
{
	AUTO_TABLE struct table *t = two_columns();

	expect(t, 0, 0, "NAME  N\n");
}

TEST(table_cuts_only_to_fit_a_terminal)
{
	AUTO_TABLE struct table *t = two_columns();

	setlocale(LC_CTYPE, "C");
	table_cell(t, TERM_PLAIN, "abcdefghijkl");
	table_cell(t, TERM_PLAIN, "1");
	expect(t, 0, 0, "NAME          N\nabcdefghijkl  1\n");
	expect(t, 0, 11, "NAME      N\nabcdefg~  1\n");
	expect(t, 0, 1, "NAME    N\nabcde~  1\n");
}

TEST(table_counts_columns_not_bytes)
{
	AUTO_TABLE struct table *t = two_columns();

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	assert_int_equal(table_text_width("h\u00e4user"), 6);
	assert_int_equal(table_text_width("\u65e5\u672c"), 4);
	assert_int_equal(table_text_width("e\u0301"), 1);
	assert_int_equal(table_text_width("\xff\xfe"), 2);
	table_cell(t, TERM_PLAIN, "\u65e5\u672c");
	table_cell(t, TERM_PLAIN, "1");
	expect(t, 0, 0, "NAME  N\n\u65e5\u672c  1\n");
	setlocale(LC_CTYPE, "C");
}
