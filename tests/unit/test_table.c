/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void expect(struct table *t, unsigned indent, unsigned width, const char *expected)
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

TEST(table_leaves_out_what_can_be_spared_before_it_cuts_to_nothing)
{
	AUTO_TABLE struct table *t = table_new();

	setlocale(LC_CTYPE, "C");
	table_column(t, "NAME", TABLE_LEFT, true);
	table_column(t, "A", TABLE_LEFT, false);
	table_spare(t, 1);
	table_column(t, "BB", TABLE_RIGHT, false);
	table_column(t, "PID", TABLE_RIGHT, false);
	table_spare(t, 2);
	for (unsigned row = 0; row < 2; row++) {
		table_cell(t, TERM_PLAIN, "a-name-of-20-letters");
		table_cell(t, TERM_PLAIN, "%u", row);
		table_cell(t, TERM_PLAIN, "12");
		table_cell(t, TERM_PLAIN, "100%u", row);
	}
	expect(t, 0, 33,
	       "NAME                  A  BB   PID\n"
	       "a-name-of-20-letters  0  12  1000\n"
	       "a-name-of-20-letters  1  12  1001\n");
	expect(t, 0, 29,
	       "NAME              A  BB   PID\n"
	       "a-name-of-20-le~  0  12  1000\n"
	       "a-name-of-20-le~  1  12  1001\n");
	expect(t, 0, 27,
	       "NAME                  A  BB\n"
	       "a-name-of-20-letters  0  12\n"
	       "a-name-of-20-letters  1  12\n"
	       "(too narrow for PID)\n");
	expect(t, 2, 15,
	       "  NAME       BB\n"
	       "  a-name-o~  12\n"
	       "  a-name-o~  12\n"
	       "  (too narrow for A, PID)\n");
}
