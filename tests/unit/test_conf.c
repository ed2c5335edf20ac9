/* SPDX-License-Identifier: Apache-2.0 */
/* What the goldens of tests/conf cannot reach: supervised VMs, hostile classes, bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/auto.h"
#include "base/str.h"
#include "schemas/message.h"
#include "tests/unit/test.h"
#include "vmm/conf/conf.h"
#include "vmm/conf/diagnostic.h"
#include "vmm/conf/finding.h"
#include "vmm/conf/option.h"
#include "vmm/conf/plan.h"
#include "vmm/vdev/vdev.h"

/* A class with all that conf asks for: a place and a line without default, options that refuse. */
static int fake_set(struct vdev *d, const char *value, struct err *e)
{
	if (!strcmp(value, "no"))
		return err_set(e, CONFIG, "'%s' is refused by the class", value);
	return vdev_want(d, WANT_IMAGE, value, e);
}

static int fake_flag(struct vdev *d, const char *value, struct err *e)
{
	(void)e;
	assert_null(value);
	*(int *)d->state = 1;
	return 0;
}

static int fake_check(struct vdev *d, struct err *e)
{
	return *(int *)d->state ? 0 : err_set(e, CONFIG, "vdev '%s' wants its flag", d->name);
}

static const struct vdev_option fake_options[] = {
	{"file", "FILE", "a file", fake_set}, {"flag", NULL, "a flag", fake_flag}, {NULL}};

static const struct vdev_class fake = {
	.name = "test-fake",
	.space = VDEV_MEM,
	.needs_loc = true,
	.needs_intr = true,
	.region = {{0, 0x1000}},
	.intr = -1,
	.state_bytes = sizeof(int),
	.options = fake_options,
	.check = fake_check,
};
VDEV_REGISTER(fake);

enum { KEPT = 80 };

struct run {
	struct diagnostic finding[KEPT];
	unsigned n, n_errors, n_warnings;
	struct board *board;
	struct err err;
	int rc;
};

static void keep(void *arg, const struct diagnostic *d)
{
	struct run *r = arg;

	assert_true(r->n < KEPT);
	r->finding[r->n++] = *d;
}

static struct run *read_parts(const struct conf_part *part, size_t n, const char *vm)
{
	struct run *r = calloc(1, sizeof *r);
	struct conf_source s = {
		.part = part, .n_parts = n, .vm = vm, .report = keep, .report_arg = r};

	assert_non_null(r);
	r->rc = conf_read(&s, &r->board, &r->n_errors, &r->n_warnings, &r->err);
	assert_int_equal(r->rc, r->n_errors ? -1 : 0);
	assert_int_equal(r->board != NULL, r->rc == 0);
	return r;
}

static struct run *read_text(const char *text, const char *vm)
{
	struct conf_part part = {
		.name = "<config>", .folder = "/guests/a", .text = text, .bytes = strlen(text)};

	return read_parts(&part, 1, vm);
}

static void done(struct run *r)
{
	board_free(r->board);
	free(r);
}

static void expect_one(const char *text, const char *what)
{
	struct run *r = read_text(text, NULL);

	assert_int_equal(r->n_errors, 1);
	assert_int_equal(r->n, 1);
	assert_string_equal(r->finding[0].what, what);
	assert_true(r->finding[0].hint[0] != '\0');
	done(r);
}

#define GUEST "ram 0,1M load 0x1000,guest.bin "

TEST(conf_system_agrees_with_the_name_of_a_supervised_vm)
{
	struct run *r = read_text("system a " GUEST, "a");

	assert_int_equal(r->rc, 0);
	assert_string_equal(r->board->system, "a");
	done(r);
	r = read_text("system b " GUEST, "a");
	assert_int_equal(r->n_errors, 1);
	assert_string_equal(r->finding[0].what, "`system` says 'b', but this VM is 'a'");
	assert_int_equal(r->finding[0].column, 8);
	done(r);
}

TEST(conf_of_a_supervised_vm_knows_no_environment)
{
	expect_one("ram 0,$env{SIZE} load guest.bin",
		   "environment variable 'SIZE' is not known here: a supervised VM has no "
		   "environment");
}

TEST(conf_error_counts_and_names_the_first)
{
	struct run *r = read_text("ramm 1\nunsupported register die\n", NULL);

	assert_int_equal(r->n_errors, 2);
	assert_int_equal(r->err.code, ERR_CONFIG);
	assert_non_null(strstr(r->err.msg, "2 errors, the first in line 1 of <config>"));
	done(r);
}

TEST(conf_vdev_without_default_needs_place_and_line)
{
	struct run *r = read_text(GUEST "vdev test-fake flag", NULL);

	assert_int_equal(r->n_errors, 2);
	assert_string_equal(r->finding[0].what, "`vdev test-fake` needs a place on the board");
	assert_string_equal(r->finding[0].hint, "add `loc ADDRESS`");
	assert_string_equal(r->finding[1].what, "`vdev test-fake` needs an interrupt line");
	done(r);
}

TEST(conf_class_speaks_through_diagnostics)
{
	expect_one(GUEST "vdev ioapic vdev test-fake flag loc 0xd0000000 intr ioapic:5 file no",
		   "'no' is refused by the class");
	expect_one(GUEST "vdev ioapic vdev test-fake loc 0xd0000000 intr ioapic:5 name x",
		   "vdev 'x' wants its flag");
	expect_one(GUEST "vdev ioapic vdev test-fake flag loc 0xd0000000 intr ioapic:5 "
			 "file a file b file c file d file e file f file g file h file i",
		   "vdev 'test-fake' names more than 8 host files");
}

TEST(conf_vdev_arrives_wired_on_the_board)
{
	struct run *r = read_text(GUEST "vdev ioapic name pic\n"
					"vdev test-fake loc io:0x2000 intr pic:5 flag name x\n"
					"\tfile ./a.img file /b.img file -\n",
				  NULL);
	struct vdev *d;

	assert_int_equal(r->rc, 0);
	d = r->board->vdev[1];
	assert_string_equal(d->name, "x");
	assert_string_equal(d->intr_pic, "pic");
	assert_int_equal(d->intr, 5);
	assert_int_equal(d->index, 1);
	assert_int_equal(d->line, 2);
	assert_int_equal(d->region[0].space, VDEV_IO);
	assert_int_equal(d->region[0].base, 0x2000);
	assert_string_equal(d->want[0].path, "/guests/a/a.img");
	assert_string_equal(d->want[1].path, "/b.img");
	assert_string_equal(d->want[2].path, "-");
	assert_string_equal(r->board->load[0].path, "/guests/a/guest.bin");
	done(r);
}

TEST(conf_board_is_sorted_and_has_the_defaults)
{
	struct run *r = read_text("ram 1M,1M rom 0,4K ram 4K load 1M,a\n", NULL);
	const struct board *b = r->board;

	assert_int_equal(r->rc, 0);
	assert_int_equal(b->n_memory, 3);
	assert_true(b->memory[0].is_rom);
	assert_int_equal(b->memory[1].gpa, 0x100000);
	assert_int_equal(b->memory[2].gpa, 0x200000);
	assert_int_equal(board_memory_bytes(b, false), 0x101000);
	assert_int_equal(board_memory_bytes(b, true), 0x1000);
	assert_int_equal(b->n_cpus, 1);
	assert_true(b->exit_on_halt && !b->dryrun);
	assert_int_equal(b->loggers.n, 0);
	assert_int_equal(b->unsupported.instruction, BOARD_FAIL);
	assert_int_equal(b->unsupported.reference, BOARD_IGNORE);
	assert_int_equal(b->unsupported.reg, BOARD_FAIL);
	assert_int_equal(b->load[0].fd, -1);
	assert_string_equal(b->system, "");
	done(r);
}

TEST(conf_parts_are_read_in_order_and_end_contexts)
{
	static const char *const words[] = {"cmdline", "a b # c", "name", "x"};
	const struct conf_part part[] = {
		{.name = "a.qvmconf", .folder = "", .text = GUEST "vdev ser8250", .bytes = 43},
		{.name = "<arguments>", .folder = "", .word = words, .n_words = NELEMS(words)}};
	struct run *r = read_parts(part, 2, NULL);

	assert_int_equal(part[0].bytes, strlen(part[0].text));
	assert_int_equal(r->n_errors, 1);
	assert_string_equal(r->finding[0].file, "<arguments>");
	assert_string_equal(r->finding[0].source, "cmdline \"a b # c\" name x");
	assert_int_equal(r->finding[0].column, 19);
	done(r);
}

TEST(conf_of_nothing_says_what_is_missing)
{
	struct run *r = read_parts(NULL, 0, NULL);

	assert_int_equal(r->n_errors, 2);
	assert_string_equal(r->finding[0].what, "the VM has no memory");
	assert_int_equal(r->finding[0].line, 0);
	done(r);
}

TEST(conf_reports_at_most_diagnostic_most_and_counts_all)
{
	enum { LINES = 500, BYTES = 8 };
	AUTO_FREE char *text = malloc(LINES * BYTES + 1);
	struct run *r;

	assert_non_null(text);
	for (int i = 0; i < LINES; i++)
		sprintf(text + i * BYTES, "xyzxyz1\n");
	r = read_text(text, NULL);
	assert_int_equal(r->n_errors, LINES);
	assert_int_equal(r->n, DIAGNOSTIC_MOST);
	done(r);
}

/* The head, then n times before, a number of its own and behind. */
static struct run *read_many(const char *head, const char *before, const char *behind, unsigned n)
{
	size_t cap = strlen(head) + n * (strlen(before) + strlen(behind) + 16) + 1, len = 0;
	AUTO_FREE char *text = malloc(cap);

	assert_non_null(text);
	str_add(text, cap, &len, "%s", head);
	for (unsigned i = 0; i < n; i++)
		str_add(text, cap, &len, "%s0x%x%s\n", before, 0x80000000 + 0x1000 * i, behind);
	return read_text(text, NULL);
}

TEST(conf_lists_are_bounded)
{
	struct run *r = read_many("load a ", "ram ", ",4K", 4097);

	assert_int_equal(r->n_errors, 1);
	assert_string_equal(r->finding[0].what, "there are more than 4096 ranges of memory");
	done(r);
	r = read_many("ram 2G,16M\n", "load ", ",a", 65);
	assert_int_equal(r->n_errors, 1);
	assert_string_equal(r->finding[0].what, "there are more than 64 files to load");
	done(r);
	r = read_many(GUEST, "vdev mc146818 loc mem:", "", 257);
	assert_string_equal(r->finding[r->n - 1].what, "there are more than 256 vdevs");
	done(r);
}

TEST(conf_text_is_bounded)
{
	size_t bytes = 1024 * 1024 + 1;
	AUTO_FREE char *text = malloc(bytes + 1);
	struct conf_part part = {.name = "big", .folder = "", .text = text, .bytes = bytes};
	struct run *r;

	assert_non_null(text);
	memset(text, ' ', bytes);
	text[bytes] = '\0';
	r = read_parts(&part, 1, NULL);
	assert_non_null(strstr(r->finding[0].what, "more than 1 MiB"));
	done(r);
	memset(text, 'x', bytes - 2);
	part.bytes = bytes - 2;
	r = read_parts(&part, 1, NULL);
	assert_string_equal(r->finding[0].what, "this word is longer than 4096 bytes");
	done(r);
	for (size_t i = 0; i < bytes; i += 2)
		text[i] = '\n';
	r = read_parts(&part, 1, NULL);
	assert_int_equal(r->n, DIAGNOSTIC_MOST);
	done(r);
}

TEST(conf_findings_are_always_utf8)
{
	struct run *r = read_text("ram 0,1M\nload a\xff\xc3\n\"\xc3\xa9\xc3\xa9\xc3\n"
				  "unknown\xc3\xa9"
				  "word\n",
				  NULL);

	for (unsigned i = 0; i < r->n; i++) {
		json_t *json = diagnostic_json(&r->finding[i]);

		assert_non_null(json);
		json_decref(json);
	}
	assert_true(r->n_errors >= 3);
	done(r);
}

TEST(diagnostic_is_drawn_with_its_caret)
{
	struct diagnostic d = {.line = 4,
			       .column = 5,
			       .length = 3,
			       .severity = DIAGNOSTIC_WARNING,
			       .file = "a.qvmconf",
			       .source = "\tram 1M",
			       .what = "odd",
			       .hint = "mend it"};
	AUTO_FREE char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	diagnostic_print(&d, out, false);
	diagnostic_print_counts(1, 2, 2, out);
	diagnostic_print_counts(0, 0, 0, out);
	fclose(out);
	assert_string_equal(text, "a.qvmconf:4:5: warning: odd\n"
				  "     4 | \tram 1M\n"
				  "       | \t   ^~~\n"
				  "       hint: mend it\n"
				  "1 error and 2 warnings, 1 of them not shown\n");
}

TEST(option_help_knows_options_variables_and_vdevs)
{
	AUTO_FREE char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(option_help(NULL, out), 0);
	assert_int_equal(option_help("ram", out), 0);
	assert_int_equal(option_help("exit-on-halt", out), 0);
	assert_int_equal(option_help("test-fake", out), 0);
	assert_int_equal(option_help("nothing", out), -1);
	fclose(out);
	assert_non_null(strstr(text, "ram [ADDRESS,]LENGTH"));
	assert_non_null(strstr(text, "file FILE"));
}

/* The setters and what `help` shows come from one table; a name must not stand there twice. */
TEST(option_table_names_each_option_once_a_context)
{
	for (const struct option *o = option_table; o->name; o++) {
		assert_true((o->set != NULL) != (o->mend != NULL));
		for (const struct option *p = option_table; p < o; p++)
			assert_false(p->context == o->context && !strcmp(p->name, o->name));
	}
	for (const struct vdev_later *v = vdev_later_table; v->name; v++)
		assert_true(v->mend[0] != '\0');
}
