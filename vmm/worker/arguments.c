/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/arguments.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/utf8.h"

/* The folder of a path: "guests/a.qvmconf" is in "guests". */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash ? strdup(".") : strndup(path, slash == path ? 1 : slash - path);

	if (!folder)
		abort();
	return folder;
}

/* One byte more than the most is read, so that a file that is too long shows itself. */
static int read_fd(int fd, const char *path, char **ret, size_t *ret_bytes, struct err *e)
{
	AUTO_FREE char *text = malloc(MESSAGE_CONFIG_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;

	if (!text)
		abort();
	while (got > 0 && n <= MESSAGE_CONFIG_MAX) {
		got = read(fd, text + n, MESSAGE_CONFIG_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return err_sys(e, CONFIG, "read '%s'", path);
		else
			n += (size_t)got;
	}
	if (n > MESSAGE_CONFIG_MAX)
		return err_set(
			e, CONFIG,
			"'%s' is over %d bytes; is it a configuration, or an image for `load`?",
			path, MESSAGE_CONFIG_MAX);
	*ret = TAKE(text);
	*ret_bytes = n;
	return 0;
}

static int read_file(const char *path, char **ret, size_t *ret_bytes, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, CONFIG, "open '%s'", path);
	return read_fd(fd, path, ret, ret_bytes, e);
}

static void report_file(const char *word, const struct err *e, conf_report *report, void *arg)
{
	struct diagnostic d = {.severity = DIAGNOSTIC_ERROR,
			       .line = 1,
			       .column = 1,
			       .length = (uint32_t)strlen(word),
			       .file = "<arguments>"};

	str_copy(d.source, sizeof d.source, word);
	str_copy(d.what, sizeof d.what, e->msg);
	str_copy(d.hint, sizeof d.hint,
		 word[1] ? "write @ and the path of a configuration file that you may read"
			 : "write the path of a configuration file right behind the @");
	utf8_repair(d.source); /* a path is any bytes, a finding is text */
	utf8_repair(d.what);
	diagnostic_sane(&d);
	report(arg, &d);
}

static void add_word(struct arguments *a, const char *word, size_t *n_words)
{
	struct conf_part *p = a->n_parts ? &a->part[a->n_parts - 1] : NULL;

	if (!p || p->text || !p->word) {
		p = &a->part[a->n_parts++];
		*p = (struct conf_part){
			.name = "<arguments>", .folder = "", .word = &a->word[*n_words]};
	}
	a->word[(*n_words)++] = word;
	p->n_words++;
}

int arguments_read(int argc, char **argv, struct arguments *ret, conf_report *report,
		   void *report_arg, struct err *e)
{
	size_t n_words = 0;
	int rc = 0;

	*ret = (struct arguments){0};
	ret->part = calloc((size_t)argc + 1, sizeof *ret->part);
	ret->word = calloc((size_t)argc + 1, sizeof *ret->word);
	if (!ret->part || !ret->word)
		abort();
	for (int i = 0; i < argc; i++) {
		const char *path = argv[i] + 1;
		char *text = NULL;
		size_t bytes = 0;

		if (!strcmp(argv[i], "--json")) {
			ret->as_json = true;
		} else if (!strcmp(argv[i], "--no-host")) {
			ret->no_host = true;
		} else if (argv[i][0] != '@') {
			add_word(ret, argv[i], &n_words);
		} else if (read_file(path, &text, &bytes, e) < 0) {
			report_file(argv[i], e, report, report_arg);
			rc = -1;
		} else {
			ret->part[ret->n_parts++] = (struct conf_part){.name = path,
								       .folder = folder_of(path),
								       .text = text,
								       .bytes = bytes};
		}
	}
	return rc;
}

void arguments_free(struct arguments *a)
{
	for (size_t i = 0; i < a->n_parts; i++) {
		if (!a->part[i].text)
			continue;
		free((char *)a->part[i].text);
		free((char *)a->part[i].folder);
	}
	free(a->part);
	free(a->word);
	*a = (struct arguments){0};
}
