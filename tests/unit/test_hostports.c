/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host: as a worker names them, which may be hostile, and as people write them. */
#include "base/hostports.h"

#include <string.h>

#include "base/auto.h"
#include "tests/unit/test.h"

TEST(host_ports_are_known_by_their_numbers_alone)
{
	struct hostports p = {1, 2};

	assert_true(hostports_of("/dev/port@0x378,0x8", &p));
	assert_true(p.base == 0x378 && p.n == 8);
	assert_true(hostports_of("/dev/port@0xfff8,0x8", &p));
	assert_false(hostports_of("/dev/port@0xfff8,0x9", &p));
	assert_false(hostports_of("/dev/port@0x10000,0x1", &p));
	assert_false(hostports_of("/dev/port@0x378,0x0", &p));
	assert_false(hostports_of("/dev/port@0x378,8", &p));
	assert_false(hostports_of("/dev/port@0x378,0x8 ", &p));
	assert_false(hostports_of("/dev/port@0x+78,0x8", &p));
	assert_false(hostports_of("/dev/port@0x0378,0x8", &p));
	assert_false(hostports_of("/dev/port", &p));
	assert_false(hostports_of("/dev/mem@0x378,0x8", &p));
	assert_true(p.base == 0xfff8 && p.n == 8);
}

TEST(host_ports_are_written_as_they_are_read)
{
	static const char *const wrong[] = {
		"",	     "0x378",	    "0x378,",	    "0x378,8x",		 "0x378,0",
		"0xfff8,9",  "0x10000,1",   "378h,8",	    "0x378, 8",		 "0x378,-1",
		"0x0x378,8", "0x378,65536", "0x37800000,8", "0x378,0x100000001",
	};
	struct hostports p;
	const char *rest;
	struct err e;

	assert_int_equal(hostports_read("0x378,8  plc", &p, &rest, &e), 0);
	assert_true(p.base == 0x378 && p.n == 8);
	assert_string_equal(rest, "plc");
	assert_int_equal(hostports_read("888,0x10", &p, &rest, &e), 0);
	assert_true(p.base == 0x378 && p.n == 16);
	assert_string_equal(rest, "");
	for (size_t i = 0; i < NELEMS(wrong); i++) {
		assert_int_equal(hostports_read(wrong[i], &p, &rest, &e), -1);
		assert_non_null(strstr(e.msg, "write 0x378,8"));
	}
}

TEST(host_ports_within_and_beside)
{
	const struct hostports p = {0x378, 8};

	assert_true(hostports_are_within(&p, &p));
	assert_true(hostports_are_within(&p, &(struct hostports){0x370, 16}));
	assert_false(hostports_are_within(&p, &(struct hostports){0x370, 15}));
	assert_false(hostports_are_within(&p, &(struct hostports){0x379, 16}));
	assert_true(hostports_overlap(&p, &(struct hostports){0x37f, 1}));
	assert_true(hostports_overlap(&(struct hostports){0, HOSTPORTS_END}, &p));
	assert_false(hostports_overlap(&p, &(struct hostports){0x380, 8}));
	assert_false(hostports_overlap(&(struct hostports){0x370, 8}, &p));
}
