/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration text of any content. Byte 0: bit 0 = the text is split into words of a command
 * line, bit 1 = into two files, bit 2 = it is a supervised VM's.
 */
#include <string.h>

#include "base/auto.h"
#include "vmm/conf/conf.h"
#include "vmm/conf/diagnostic.h"
#include "vmm/conf/plan.h"
#include "vmm/vdev/vdev.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
	unsigned n, line_before;
	FILE *out;
};

static void check(int holds)
{
	if (!holds)
		__builtin_trap();
}

/* What goes to a terminal and into JSON is bounded, terminated and valid. */
static void report(void *arg, const struct diagnostic *d)
{
	struct seen *s = arg;
	struct diagnostic sane = *d;
	json_t *json = diagnostic_json(d);

	s->n++;
	check(json != NULL);
	json_decref(json);
	check(d->what[0] && memchr(d->what, 0, sizeof d->what) &&
	      memchr(d->hint, 0, sizeof d->hint) && memchr(d->source, 0, sizeof d->source) &&
	      memchr(d->file, 0, sizeof d->file));
	diagnostic_sane(&sane);
	check(!strcmp(sane.what, d->what) && !strcmp(sane.hint, d->hint));
	diagnostic_print(d, s->out, true);
}

static const char *environment(const char *name)
{
	return !strcmp(name, "A") ? "64M" : !strcmp(name, "B") ? "a \"b\" # \\" : NULL;
}

/* A sound board keeps the promises of board.h. */
static void check_board(const struct board *b, FILE *out)
{
	AUTO_FREE char *json = plan_json(b);

	check(json[0] == '{' && b->n_cpus >= 1 && b->n_memory >= 1 && b->n_loads >= 1);
	for (unsigned i = 0; i < b->n_memory; i++) {
		check(b->memory[i].bytes > 0 && b->memory[i].bytes % 4096 == 0 &&
		      b->memory[i].gpa % 4096 == 0);
		check(i == 0 || b->memory[i - 1].gpa + b->memory[i - 1].bytes <= b->memory[i].gpa);
	}
	for (unsigned i = 0; i < b->n_vdevs; i++)
		check(b->vdev[i]->index == i && b->vdev[i]->intr < 24);
	plan_print(b, out);
}

/* Split in place at newlines; the words of a command line hold anything but NUL. */
static size_t split(char *text, const char **word, size_t cap)
{
	size_t n = 0;

	for (char *s = strtok(text, "\n"); s && n < cap; s = strtok(NULL, "\n"))
		word[n++] = s;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static FILE *out;
	const char *word[256];
	struct conf_part part[2] = {{.name = "<config>", .folder = "guests"},
				    {.name = "second", .folder = ""}};
	struct conf_source s = {.part = part, .n_parts = 1, .report = report};
	struct board *board = NULL;
	unsigned errors = 0, warnings = 0;
	AUTO_FREE char *text = NULL;
	struct seen seen = {0};
	struct err e = {0};
	uint8_t mode = n ? data[0] : 0;

	if (n == 0)
		return 0;
	if (!out)
		out = fopen("/dev/null", "we");
	check(out != NULL);
	seen.out = out;
	s.report_arg = &seen;
	s.vm = mode & 4 ? "fuzz" : NULL;
	s.env = mode & 4 ? NULL : environment;
	text = malloc(n); /* exactly: a read beyond it is seen */
	check(text != NULL);
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	if (mode & 1) {
		part[0].word = word;
		part[0].n_words = split(text, word, 256);
	} else {
		part[0].text = text;
		part[0].bytes = mode & 2 ? (n - 1) / 2 : n - 1;
		part[1].text = text + part[0].bytes;
		part[1].bytes = n - 1 - part[0].bytes;
		s.n_parts = mode & 2 ? 2 : 1;
	}
	if (conf_read(&s, &board, &errors, &warnings, &e) < 0)
		check(errors > 0 && e.code == ERR_CONFIG && !board);
	else
		check(errors == 0 && board);
	check(seen.n <= DIAGNOSTIC_MOST && seen.n <= errors + warnings);
	if (board)
		check_board(board, out);
	board_free(board);
	return 0;
}
