/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/conf/number.h"
#include "vmm/conf/place.h"
#include "vmm/conf/suggest.h"
#include "vmm/conf/utf8.h"

static uint64_t address(const char *s)
{
	uint64_t n = 0;
	struct err e;

	assert_int_equal(number_address(s, strlen(s), &n, &e), 0);
	return n;
}

static uint64_t size(const char *s)
{
	uint64_t n = 0;
	struct err e;

	assert_int_equal(number_size(s, strlen(s), &n, &e), 0);
	return n;
}

TEST(number_address_is_hexadecimal_unless_it_says_otherwise)
{
	assert_int_equal(address("1000"), 0x1000);
	assert_int_equal(address("0x1000"), 0x1000);
	assert_int_equal(address("0XfEe0"), 0xfee0);
	assert_int_equal(address("0d1000"), 1000);
	assert_int_equal(address("10M"), UINT64_C(0x10) << 20);
	assert_int_equal(address("4K"), 4096);
	assert_int_equal(address("d"), 0xd);
	assert_int_equal(address("0"), 0);
}

TEST(number_size_is_decimal_unless_it_says_otherwise)
{
	assert_int_equal(size("1000"), 1000);
	assert_int_equal(size("0x1000"), 0x1000);
	assert_int_equal(size("1k"), 1024);
	assert_int_equal(size("0x10M"), UINT64_C(16) << 20);
	assert_int_equal(size("18446744073709551615"), UINT64_MAX);
}

TEST(number_refuses_what_is_none_and_what_overflows)
{
	static const char *const bad[] = {"",
					  "0x",
					  "x",
					  "-1",
					  "+1",
					  "1 ",
					  "1KB",
					  "1T",
					  "1.5G",
					  "18446744073709551616",
					  "17179869184G",
					  "0d",
					  "12a",
					  "K",
					  "1KK"};
	uint64_t n = 42;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(number_size(bad[i], strlen(bad[i]), &n, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_int_equal(n, 42); /* untouched */
	}
	assert_int_equal(number_plain("4K", 2, &n, &e), -1);
}

TEST(number_reads_no_byte_beyond_its_length)
{
	uint64_t n;
	struct err e;

	assert_int_equal(number_size("1024M", 2, &n, &e), 0);
	assert_int_equal(n, 10);
}

TEST(number_warns_only_where_the_base_changes_the_value)
{
	static const char *const yes[] = {"10", "100000", "16m", "0010"};
	static const char *const no[] = {"0", "9", "0x10", "0d10", "a0", "1m", "0009", ""};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_true(number_is_ambiguous(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		assert_false(number_is_ambiguous(no[i], strlen(no[i])));
}

TEST(place_knows_its_spaces_and_their_ends)
{
	struct place p;
	struct err e;

	assert_int_equal(place_parse("io:0x3f8", VDEV_MEM, &p, &e), 0);
	assert_int_equal(p.space, VDEV_IO);
	assert_int_equal(p.base, 0x3f8);
	assert_int_equal(place_parse("0xffff", VDEV_IO, &p, &e), 0);
	assert_int_equal(place_parse("0x10000", VDEV_IO, &p, &e), -1);
	assert_int_equal(place_parse("0xffff,2", VDEV_IO, &p, &e), -1);
	assert_int_equal(place_parse("0x3fffffffffff", VDEV_MEM, &p, &e), 0);
	assert_int_equal(place_parse("0x1000,0xffffffffffffffff", VDEV_MEM, &p, &e), -1);
	assert_int_equal(place_parse("pci:0:1.0", VDEV_MEM, &p, &e), 0);
	assert_true(p.is_pci);
	assert_int_equal(place_parse("dma:1", VDEV_MEM, &p, &e), -1);
}

TEST(place_overlap_is_by_bytes)
{
	assert_false(place_overlaps(0, 0x1000, 0x1000, 0x1000));
	assert_true(place_overlaps(0, 0x1001, 0x1000, 0x1000));
	assert_true(place_overlaps(0x1800, 1, 0x1000, 0x1000));
}

static const char *nearest(const char *word, const char *a, const char *b)
{
	struct suggestion s = {.word = word};

	suggest_consider(&s, a);
	suggest_consider(&s, b);
	return s.best;
}

TEST(suggestion_is_the_nearest_and_only_if_it_is_near)
{
	assert_string_equal(nearest("ramm", "rom", "ram"), "ram");
	assert_string_equal(nearest("RAM", "rom", "ram"), "ram");
	assert_string_equal(nearest("rma", "rom", "ram"), "ram");
	assert_string_equal(nearest("cmdlin", "cpu", "cmdline"), "cmdline");
	assert_null(nearest("xyz", "rom", "ram"));
	assert_null(nearest("", "rom", "ram"));
}

TEST(utf8_knows_well_formed_characters)
{
	assert_int_equal(utf8_char("a", 1), 1);
	assert_int_equal(utf8_char("\t", 1), 1);
	assert_int_equal(utf8_char("\xc3\xa9", 2), 2);
	assert_int_equal(utf8_char("\xe2\x82\xac", 3), 3);
	assert_int_equal(utf8_char("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(utf8_char("\x1b", 1), 0);
	assert_int_equal(utf8_char("\x7f", 1), 0);
	assert_int_equal(utf8_char("\xc2\x9b", 2), 0);	       /* C1: a control sequence */
	assert_int_equal(utf8_char("\xc0\xaf", 2), 0);	       /* overlong */
	assert_int_equal(utf8_char("\xed\xa0\x80", 3), 0);     /* surrogate */
	assert_int_equal(utf8_char("\xf4\x90\x80\x80", 4), 0); /* beyond the last */
	assert_int_equal(utf8_char("\xe2\x82", 2), 0);	       /* cut */
	assert_int_equal(utf8_char("", 0), 0);
}

TEST(utf8_copy_cuts_between_characters)
{
	char s[4];

	utf8_copy(s, sizeof s, "ab\xc3\xa9", 4);
	assert_string_equal(s, "ab");
	utf8_copy(s, sizeof s, "a\x1b\0b", 4);
	assert_string_equal(s, "a??");
	assert_int_equal(utf8_columns("\xc3\xa9\xff\x61", 4), 3);
}
