/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/arguments.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/message.h"
#include "tests/unit/test.h"

struct seen {
	unsigned n;
	struct diagnostic last;
};

static void see(void *arg, const struct diagnostic *d)
{
	struct seen *s = arg;

	s->n++;
	s->last = *d;
}

/* A file of that many bytes; the caller unlinks path + 1, which is what `@path` names. */
static void make_file(char path[static 64], size_t bytes)
{
	int fd;

	strcpy(path, "@/tmp/qvm-arguments-XXXXXX");
	fd = mkstemp(path + 1);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

TEST(arguments_keep_files_and_words_in_order)
{
	char file[64], set[] = "set", name[] = "x", json[] = "--json", dryrun[] = "dryrun";
	char *argv[] = {set, name, file, json, dryrun};
	struct seen seen = {0};
	struct arguments a;
	struct err e;

	make_file(file, 10);
	assert_int_equal(arguments_read(5, argv, &a, see, &seen, &e), 0);
	assert_int_equal(a.n_parts, 3);
	assert_true(a.as_json);
	assert_int_equal(a.part[0].n_words, 2);
	assert_string_equal(a.part[0].word[1], "x");
	assert_int_equal(a.part[1].bytes, 10);
	assert_string_equal(a.part[1].name, file + 1);
	assert_string_equal(a.part[1].folder, "/tmp");
	assert_int_equal(a.part[2].n_words, 1);
	assert_string_equal(a.part[2].word[0], "dryrun");
	arguments_free(&a);
	unlink(file + 1);
}

TEST(arguments_report_every_file_that_cannot_be_read)
{
	char none[] = "@", absent[] = "@/nonexistent/a", folder[] = "@/tmp", word[] = "ram";
	char *argv[] = {none, absent, word, folder};
	struct seen seen = {0};
	struct arguments a;
	struct err e;

	assert_int_equal(arguments_read(4, argv, &a, see, &seen, &e), -1);
	assert_int_equal(seen.n, 3);
	assert_non_null(strstr(seen.last.what, "'/tmp'"));
	assert_true(seen.last.hint[0]);
	arguments_free(&a);
}

TEST(arguments_take_a_file_up_to_the_limit)
{
	char file[64];
	char *argv[] = {file};
	struct seen seen = {0};
	struct arguments a;
	struct err e;

	make_file(file, MESSAGE_CONFIG_MAX);
	assert_int_equal(arguments_read(1, argv, &a, see, &seen, &e), 0);
	arguments_free(&a);
	assert_int_equal(truncate(file + 1, MESSAGE_CONFIG_MAX + 1), 0);
	assert_int_equal(arguments_read(1, argv, &a, see, &seen, &e), -1);
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.last.what, "1048576"));
	arguments_free(&a);
	unlink(file + 1);
}
