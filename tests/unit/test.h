/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.h - a unit test is a function that registers itself; cmocka's assert_* judge.
 * The name states the expected outcome: TEST(wire_refuses_a_short_message) { ... }.
 * A file belongs to the test program of the process whose headers it includes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct test {
	const char *name;
	void (*fn)(void);
};

#define TEST(id)                                                                                   \
	static void test_##id(void);                                                               \
	static const struct test id##_record = {#id, test_##id};                                   \
	static const struct test *const id##_entry                                                 \
		__attribute__((used, retain, section("qvm_test"))) = &id##_record;                 \
	static void test_##id(void)
