/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/escape.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void expect(enum escape_mode mode, const char *in, const char *expected)
{
	size_t n = strlen(in);

	/* Whatever the pieces in which the stream arrives. */
	for (size_t piece = 1; piece <= n; piece++) {
		struct escape e = {0};
		char out[512] = "";
		size_t len = 0;

		for (size_t at = 0; at < n; at += piece)
			len += escape_filter(&e, mode, in + at, n - at < piece ? n - at : piece,
					     out + len);
		out[len] = '\0';
		assert_string_equal(out, expected);
	}
}

TEST(escape_lets_plain_text_and_utf8_through)
{
	expect(ESCAPE_TEXT, "a\tb\nc \u00e4\u65e5\U0001f600 ~", "a\tb\nc \u00e4\u65e5\U0001f600 ~");
}

TEST(escape_drops_whole_sequences)
{
	expect(ESCAPE_TEXT, "a\033[2Jb\033[1;31mc\033[0m", "abc");
	expect(ESCAPE_TEXT, "a\033]0;title\007b\033Pdcs\033\\c\033(Bd\0337e", "abcde");
	expect(ESCAPE_TEXT, "a\rb\x08\x7f\x01", "ab");
}

TEST(escape_attached_keeps_what_edits_a_line_and_nothing_that_answers)
{
	expect(ESCAPE_ATTACHED, "ab\b \b\a\033[K\033[2C\033[1mx", "ab\b \b\a\033[K\033[2C\033[1mx");
	expect(ESCAPE_ATTACHED, "\033[6n\033[c\033[?1049h\033]52;c;eA==\007\033P$q\033\\\033[21tx",
	       "x");
}

TEST(escape_console_keeps_colours_only)
{
	expect(ESCAPE_CONSOLE, "\033[1;31mred\033[0m\r\n", "\033[1;31mred\033[0m\r\n");
	expect(ESCAPE_CONSOLE, "\033[38:5:1mx\033[m", "\033[38:5:1mx\033[m");
	expect(ESCAPE_CONSOLE, "\033[2J\033[10;10H\033[6n\033[?25l\033[>0mx\033[ mx", "xx");
}

TEST(escape_ends_a_title_with_its_line)
{
	expect(ESCAPE_TEXT, "a\033]0;never closed\nb", "a\nb");
	expect(ESCAPE_TEXT, "a\033[12\nb", "a\nb");
}

TEST(escape_refuses_hidden_and_reordering_characters)
{
	expect(ESCAPE_TEXT,
	       "\xc2\x9b"
	       "31m\xc2\x85\u202e\u2066\u200b",
	       "?31m????");
}

TEST(escape_replaces_what_is_not_utf8)
{
	expect(ESCAPE_TEXT, "\xff_\xc0\xaf_\xc3(\xe2\x82z",
	       "?_?"
	       "?_?(?z");
	expect(ESCAPE_TEXT, "\xed\xa0\x80_\xf4\x90\x80\x80_\xe0\x80\x80", "?_?_?");
}

TEST(escape_bounds_a_long_sequence)
{
	char in[300] = "\033[";

	memset(in + 2, '1', 200);
	strcpy(in + 202, "mx");
	expect(ESCAPE_CONSOLE, in, "x");
}

TEST(escape_text_ends_an_open_character)
{
	char *s = escape_text("ab\xe2\x82", 4);

	assert_string_equal(s, "ab?");
	free(s);
}
