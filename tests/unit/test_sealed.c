/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sealed.h"

#include <unistd.h>

#include "base/auto.h"
#include "tests/unit/test.h"

TEST(sealed_text_is_read_only_for_ever)
{
	AUTO_FD int fd = sealed_text("t", "ram 1m\n", 7);
	char got[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, got, sizeof got, 0), 7);
	assert_string_equal(got, "ram 1m\n");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
}

TEST(sealed_memory_keeps_its_size_and_can_be_written)
{
	AUTO_FD int fd = sealed_memory("m", 8192);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 8191), 1);
	assert_int_equal(pwrite(fd, "x", 1, 8192), -1);
	assert_int_equal(ftruncate(fd, 4096), -1);
	assert_int_equal(ftruncate(fd, 16384), -1);
}
