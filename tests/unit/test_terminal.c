/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/terminal.h"

#include <string.h>

#include "tests/unit/test.h"

static size_t escape(char *bytes, bool *state, bool *leave)
{
	return terminal_escape((uint8_t *)bytes, strlen(bytes), state, leave);
}

TEST(terminal_passes_ordinary_bytes)
{
	bool state = false, leave = false;
	char text[] = "x\003a";

	assert_int_equal(escape(text, &state, &leave), 3);
	assert_false(leave);
}

TEST(terminal_ctrl_a_x_leaves_also_in_two_reads)
{
	bool state = false, leave = false;
	char first[] = "hi\001", second[] = "xy";

	assert_int_equal(escape(first, &state, &leave), 2);
	assert_false(leave);
	assert_int_equal(escape(second, &state, &leave), 1);
	assert_int_equal(second[0], 'y');
	assert_true(leave);
}

TEST(terminal_ctrl_a_a_is_ctrl_a)
{
	bool state = false, leave = false;
	char text[] = "\001a\001\001\001z";

	assert_int_equal(escape(text, &state, &leave), 3);
	assert_memory_equal(text, "\001\001z", 3);
	assert_false(leave);
}
