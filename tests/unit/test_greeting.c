/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a client of virtio-vsock. */
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/virtio/greeting.h"

static int read_line(const char *line, uint32_t *ret_port)
{
	return greeting_read(line, strlen(line), ret_port);
}

TEST(greeting_is_connect_a_port_and_a_newline)
{
	uint32_t port = 0;

	assert_int_equal(read_line("CONNECT 52\n", &port), 1);
	assert_int_equal(port, 52);
	assert_int_equal(read_line("CONNECT 4294967295\n", &port), 1);
	assert_int_equal(port, UINT32_MAX);
	assert_int_equal(read_line("CONNECT 0\n", &port), 1);
	assert_int_equal(port, 0);
}

TEST(greeting_that_is_not_whole_waits_for_more)
{
	static const char line[] = "CONNECT 52\n";
	uint32_t port = 7;

	for (size_t n = 0; n < sizeof line - 2; n++)
		assert_int_equal(greeting_read(line, n, &port), 0);
	assert_int_equal(port, 7);
}

TEST(greeting_that_is_none_is_refused_at_its_first_wrong_byte)
{
	uint32_t port;

	assert_int_equal(read_line("G", &port), -1);
	assert_int_equal(read_line("CONNECT \n", &port), -1);
	assert_int_equal(read_line("CONNECT -", &port), -1);
	assert_int_equal(read_line("CONNECT 4294967296", &port), -1);
	assert_int_equal(read_line("CONNECT 00000000000000", &port), -1);
	assert_int_equal(read_line("CONNECT 1\nx", &port), -1);
}
