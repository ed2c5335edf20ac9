/* SPDX-License-Identifier: Apache-2.0 */
#include "client/paths.h"

#include <string.h>

#include "tests/unit/test.h"

/* What the text becomes when its file stands in that folder. */
static void expect_in(const char *folder, const char *text, const char *expected)
{
	AUTO_PATHS struct paths p = {0};
	struct err e;

	assert_int_equal(paths_absolute(text, strlen(text), folder, "/cwd", &p, &e), 0);
	assert_string_equal(p.text, expected);
	assert_int_equal(p.bytes, strlen(expected));
}

static void expect(const char *text, const char *expected)
{
	expect_in("/vm", text, expected);
}

TEST(paths_makes_a_relative_load_absolute)
{
	expect("load kernel", "load /vm/kernel");
	expect("load ./a/kernel\n", "load /vm/a/kernel\n");
	expect("load ../kernel", "load /vm/../kernel");
	expect("initrd load  initrd.gz # x", "initrd load  /vm/initrd.gz # x");
	expect_in("/", "load kernel", "load /kernel");
}

TEST(paths_leaves_what_is_absolute_or_no_file)
{
	expect("load /boot/vmlinuz", "load /boot/vmlinuz");
	expect("load 0x1000,/boot/x", "load 0x1000,/boot/x");
	expect("load $env{K}/x", "load $env{K}/x");
	expect("vdev ser8250 hostdev - hostdev >- hostdev <-",
	       "vdev ser8250 hostdev - hostdev >- hostdev <-");
	expect("hostdev |cat hostdev >|cat hostdev \">|gzip >f\"",
	       "hostdev |cat hostdev >|cat hostdev \">|gzip >f\"");
	expect("load", "load");
	expect("load 0x1000,", "load 0x1000,");
}

TEST(paths_keeps_the_address_before_a_path)
{
	expect("data load 0x7c00,boot.bin", "data load 0x7c00,/vm/boot.bin");
	expect("load 1m,boot.bin", "load 1m,/vm/boot.bin");
	expect("load abc,boot.bin", "load abc,/vm/boot.bin"); /* hexadecimal is the default */
	expect("load 12zz,boot.bin",
	       "load 12zz,/vm/boot.bin"); /* the worker refuses that address */
	expect("load my,file", "load /vm/my,file");
	expect("load d/1,file", "load /vm/d/1,file");
}

TEST(paths_handles_hostdev_directions)
{
	expect("hostdev >log.txt", "hostdev >/vm/log.txt");
	expect("hostdev <in", "hostdev </vm/in");
	expect("hostdev both", "hostdev /vm/both");
	expect("hostdev >\"my log\"", "hostdev >\"/vm/my log\"");
}

TEST(paths_touches_nothing_in_comments_and_arguments)
{
	expect("# load kernel\nram 1M", "# load kernel\nram 1M");
	expect("ram 1M# load kernel", "ram 1M# load kernel");
	expect("system load ram 1M", "system load ram 1M");
	expect("cmdline \"load kernel\"", "cmdline \"load kernel\"");
	expect("cmdline load kernel", "cmdline load kernel");
	expect("set x load y z", "set x load y z");
	expect("vdev ser8250 name hostdev x", "vdev ser8250 name hostdev x");
	expect("cmdline \"a \\\nload b\" load k", "cmdline \"a \\\nload b\" load /vm/k");
}

TEST(paths_finds_the_path_on_the_next_line)
{
	expect("load # why\n\n  kernel", "load # why\n\n  /vm/kernel");
}

TEST(paths_stays_within_quotes_and_adds_them_for_a_folder_with_space)
{
	expect("load \"my kernel\"", "load \"/vm/my kernel\"");
	expect("load \"0x10,my kernel\"", "load \"0x10,/vm/my kernel\"");
	expect_in("/my vm", "load 0x10,k", "load \"0x10,/my vm/k\"");
	expect_in("/my vm", "load \"k\"", "load \"/my vm/k\"");
	expect_in("/a#b", "hostdev >k", "hostdev \">/a#b/k\"");
}

TEST(paths_refuses_a_folder_that_cannot_be_written)
{
	AUTO_PATHS struct paths p = {0};
	struct err e;

	assert_int_equal(paths_absolute("ram 1M\nload k", 13, "/a\"b", "/", &p, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "line 2"));
	assert_int_equal(paths_absolute("load /k", 7, "/a\"b", "/", &p, &e), 0);
}

TEST(paths_obeys_path_base_wherever_it_stands)
{
	expect("load k set path-base cwd", "load /cwd/k set path-base cwd");
	expect("set path-base cwd set path-base file load k",
	       "set path-base cwd set path-base file load /vm/k");
}

TEST(paths_survives_open_ends)
{
	expect("", "");
	expect("load \"kernel", "load \"/vm/kernel");
	expect("load \"ker\nnel\" load x", "load \"/vm/ker\nnel\" load x");
	expect("set path-base", "set path-base");
	expect("hostdev", "hostdev");
	expect("\"", "\"");
}

static void map(const struct paths *p, unsigned line, unsigned from, unsigned expected)
{
	unsigned length = 1;

	paths_map_back(p, line, &from, &length);
	assert_int_equal(from, expected);
}

TEST(paths_maps_columns_back_to_the_author)
{
	static const char text[] = "ram 1M\nload k\u00e4 load 0x10,b bogus";
	AUTO_PATHS struct paths p = {0};
	unsigned column = 6, length = 6;
	struct err e;

	/* load /vm/k\u00e4 load 0x10,/vm/b bogus */
	assert_int_equal(paths_absolute(text, strlen(text), "/vm", "/", &p, &e), 0);
	assert_int_equal(p.n_edits, 2);
	assert_string_equal(p.edit[1].path, "/vm/b");
	map(&p, 1, 6, 6);
	map(&p, 2, 1, 1);
	paths_map_back(&p, 2, &column, &length); /* the word /vm/k\u00e4 */
	assert_int_equal(column, 6);
	assert_int_equal(length, 2);
	map(&p, 2, 13, 9);  /* load */
	map(&p, 2, 18, 14); /* 0x10 */
	map(&p, 2, 29, 21); /* bogus: "load k\u00e4 load 0x10,b bogus" */
}
