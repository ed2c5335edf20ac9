/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/age.h"

#include <string.h>

#include "tests/unit/test.h"

TEST(age_parse_reads_rfc_3339)
{
	assert_int_equal(age_parse("2026-11-23T06:47:06.123Z"), 1795416426123);
	assert_int_equal(age_parse("2026-11-23T07:47:06.1+01:00"), 1795416426100);
	assert_int_equal(age_parse("2026-11-23T05:17:06-01:30"), 1795416426000);
	assert_int_equal(age_parse(""), -1);
	assert_int_equal(age_parse("yesterday"), -1);
	assert_int_equal(age_parse("2026-11-23T06:47:06"), -1);
	assert_int_equal(age_parse("2026-11-23T06:47:06Zx"), -1);
}

TEST(age_text_uses_one_unit)
{
	static const char at[] = "2026-11-23T06:47:06.123Z";
	char b[AGE_TEXT];

	assert_string_equal(age_text(at, 1795416426999, b), "just now");
	assert_string_equal(age_text(at, 1795416427123, b), "1s ago");
	assert_string_equal(age_text(at, 1795416426123 + 3 * 60000, b), "3m ago");
	assert_string_equal(age_text(at, 1795416426123 + 7200000, b), "2h ago");
	assert_string_equal(age_text(at, 1795416426123 + 3 * 86400000LL, b), "3d ago");
	assert_string_equal(age_text(at, 1795416426123 - 4000, b), "in 4s");
	assert_string_equal(age_text(at, 1795416426123 - 300, b), "in a moment");
	assert_string_equal(age_text("", 0, b), "-");
}

TEST(age_span_shows_two_digits_that_matter)
{
	char b[AGE_TEXT];

	assert_string_equal(age_span(34, b), "34 ms");
	assert_string_equal(age_span(1234, b), "1.2 s");
	assert_string_equal(age_span(200000, b), "3m 20s");
	assert_string_equal(age_span(7500000, b), "2h 05m");
	assert_string_equal(age_span(99 * 3600000LL, b), "4d 3h");
	assert_string_equal(age_span(-1, b), "-");
}

TEST(age_read_span_takes_units_and_bounds)
{
	struct err e;
	int64_t ms = 0;

	assert_int_equal(age_read_span("500ms", &ms, &e), 0);
	assert_int_equal(ms, 500);
	assert_int_equal(age_read_span("30", &ms, &e), 0);
	assert_int_equal(ms, 30000);
	assert_int_equal(age_read_span("1.5m", &ms, &e), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(age_read_span("", &ms, &e), -1);
	assert_int_equal(age_read_span("s", &ms, &e), -1);
	assert_int_equal(age_read_span("-1s", &ms, &e), -1);
	assert_int_equal(age_read_span("nan", &ms, &e), -1);
	assert_int_equal(age_read_span("1e99", &ms, &e), -1);
	assert_int_equal(age_read_span("3 s", &ms, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

TEST(age_since_reads_what_people_write)
{
	int64_t now_ms = 1795416426123, ago_ms = 0; /* 2026-11-23T06:47:06.123Z */
	struct err e;

	assert_int_equal(age_read_since("10m", now_ms, &ago_ms, &e), 0);
	assert_int_equal(ago_ms, 600000);
	assert_int_equal(age_read_since("2026-11-23T06:46:06.123Z", now_ms, &ago_ms, &e), 0);
	assert_int_equal(ago_ms, 60000);
	assert_int_equal(age_read_since("yesterday", now_ms, &ago_ms, &e), 0);
	assert_true(ago_ms > 23 * 3600000LL && ago_ms < 49 * 3600000LL);
	assert_int_equal(age_read_since("2026-11-20 12:00", now_ms, &ago_ms, &e), 0);
	assert_int_equal(age_read_since("2026-11-25", now_ms, &ago_ms, &e), -1);
	assert_non_null(strstr(e.msg, "still to come"));
	assert_int_equal(age_read_since("lately", now_ms, &ago_ms, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}
