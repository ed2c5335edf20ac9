/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a progress bar, and sizes for people. */
#include <string.h>

#include "base/auto.h"
#include "client/show/progress.h"
#include "client/show/size.h"
#include "tests/unit/test.h"

enum { GIB = 1 << 30 };

static const char *line(uint64_t done, uint64_t now_ms, unsigned width, char ret[PROGRESS_LINE])
{
	const struct progress p = {.label = "brake.gcore",
				   .total = 4 * (uint64_t)GIB,
				   .before = GIB,
				   .begun_ms = 1000};

	return progress_line(&p, done, now_ms, width, false, ret);
}

TEST(progress_tells_rate_and_time_left_of_what_came_now)
{
	char s[PROGRESS_LINE];

	assert_string_equal(line(2 * (uint64_t)GIB, 17000, 200, s),
			    "brake.gcore  50% ###############---------------  2.0 GiB of 4.0 GiB  "
			    "64.0 MiB/s  0:32 left");
	line(GIB, 1000, 200, s);
	assert_non_null(strstr(s, "1.0 GiB of 4.0 GiB"));
	assert_null(strstr(s, "left")); /* nothing is known yet */
}

TEST(progress_never_takes_more_than_the_width)
{
	char s[PROGRESS_LINE];

	for (unsigned width = 10; width < 120; width++)
		assert_true(strlen(line(3 * (uint64_t)GIB, 31000, width, s)) < width);
	assert_string_equal(line(3 * (uint64_t)GIB, 31000, 10, s), "  75% ");
}

TEST(size_is_rounded_to_the_next_unit)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},	      {1023, "1023 B"},	       {1024, "1.0 KiB"},
		{1048575, "1.0 MiB"}, {1573523456, "1.5 GiB"}, {UINT64_MAX, "16.0 EiB"},
	};
	char s[SIZE_TEXT];

	for (size_t i = 0; i < NELEMS(rows); i++)
		assert_string_equal(size_text(rows[i].bytes, s), rows[i].text);
}
