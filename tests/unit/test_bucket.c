/* SPDX-License-Identifier: Apache-2.0 */
/* How often a line may be said. */
#include "base/bucket.h"
#include "tests/unit/test.h"

TEST(bucket_lets_the_first_through_and_then_one_a_minute_with_the_count_of_the_others)
{
	struct bucket b = {0};
	char text[BUCKET_TEXT];

	assert_true(bucket_take(&b, 1000, text));
	assert_string_equal(text, "");
	assert_false(bucket_take(&b, 1000, text));
	assert_false(bucket_take(&b, 1000 + BUCKET_MS - 1, text));
	assert_true(bucket_take(&b, 1000 + BUCKET_MS, text));
	assert_string_equal(text, " (2 more like it in between)");
	assert_true(bucket_take(&b, 1000 + 3 * BUCKET_MS, text));
	assert_string_equal(text, "");
}
