/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of qvmd.conf that give memory and ports of the host away. */
#include <string.h>

#include "base/auto.h"
#include "daemon/allow.h"
#include "tests/unit/test.h"

static int set(struct config *c, const char *key, const char *value, const char *words)
{
	struct err e = {0};
	int r = config_set(c, key, value, &e);

	if (words)
		assert_non_null(strstr(e.msg, words));
	return r;
}

TEST(allowed_memory_is_whole_pages)
{
	struct config c = {0};

	assert_int_equal(set(&c, "allow-memory", "0xfe000000,0x1000", NULL), 0);
	assert_int_equal(set(&c, "allow-memory", "0xfe000800,0x1000", "whole pages"), -1);
	assert_int_equal(set(&c, "allow-memory", "all", "allow-memory: 'all'"), -1);
	assert_int_equal(c.n_allow_memories, 1);
	assert_true(c.allow_memory[0].base == 0xfe000000);
}

TEST(allowed_ports_are_of_one_vm)
{
	struct config c = {0};

	assert_int_equal(set(&c, "allow-ports", "0x378,8 plc", NULL), 0);
	assert_int_equal(set(&c, "allow-ports", "0x37c,8 plc", NULL), 0);
	assert_int_equal(set(&c, "allow-ports", "0x380,8 other", "to 'plc' and to 'other'"), -1);
	assert_int_equal(set(&c, "allow-ports", "0x278,8", "the name of the VM"), -1);
	assert_int_equal(set(&c, "allow-ports", "0x278,8 plc other", "the name of the VM"), -1);
	assert_int_equal(set(&c, "allow-ports", "0x278 plc", "0x378,8"), -1);
	assert_int_equal(c.n_allow_ports, 2);
	assert_string_equal(c.allow_ports[1].vm, "plc");
}
