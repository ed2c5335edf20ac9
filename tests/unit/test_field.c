/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/field.h"

#include <string.h>

#include "tests/unit/test.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct err e;

	assert_int_equal(field_parse(text, strlen(text), &j, &e), 0);
	return j;
}

TEST(field_texts_cannot_paint_the_terminal)
{
	AUTO_JSON json_t *j = parse("{\"reason\":\"a\\u001b[2Jb\\nc\\u0000d\",\"\\u001b[mk\":1}");

	assert_string_equal(field_text(j, "reason"), "ab cd");
	assert_int_equal(field_number(j, "k", 0), 1);
}

TEST(field_keeps_the_lines_of_console_and_config_only)
{
	AUTO_JSON json_t *j =
		parse("{\"console\":\"a\\r\\nb\",\"config\":\"\\tx\\ny\",\"vm\":\"a\\nb\"}");

	assert_string_equal(field_text(j, "console"), "a\nb");
	assert_string_equal(field_text(j, "config"), "\tx\ny");
	assert_string_equal(field_text(j, "vm"), "a b");
}

TEST(field_takes_absent_and_mistyped_members_as_empty)
{
	AUTO_JSON json_t *j = parse("{\"s\":5,\"n\":\"x\",\"l\":{},\"null\":null}");

	assert_string_equal(field_text(j, "s"), "");
	assert_string_equal(field_word(j, "null"), "-");
	assert_int_equal(field_number(j, "n", -7), -7);
	assert_null(field_list(j, "l"));
	assert_string_equal(field_text(NULL, "x"), "");
	assert_false(field_true(j, "s"));
}

TEST(field_reads_addresses_beyond_63_bits)
{
	AUTO_JSON json_t *j = parse("{\"a\":\"0xffffffff81000000\",\"b\":4096}");

	assert_int_equal(field_address(j, "a"), UINT64_C(0xffffffff81000000));
	assert_int_equal(field_address(j, "b"), 4096);
}

TEST(field_parse_says_that_it_is_no_json)
{
	json_t *j = NULL;
	struct err e;

	assert_int_equal(field_parse("<html>", 6, &j, &e), -1);
	assert_int_equal(e.code, ERR_NO_SERVER);
	assert_null(j);
}
