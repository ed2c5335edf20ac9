/* SPDX-License-Identifier: Apache-2.0 */
#include "client/source.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/escape.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "schemas/message.h"

static int read_whole(FILE *f, struct source *s, struct err *e)
{
	enum { MOST = MESSAGE_CONFIG_MAX };

	s->text = malloc(MOST + 2);
	if (!s->text)
		abort();
	s->bytes = fread(s->text, 1, MOST + 1, f);
	s->text[s->bytes] = '\0';
	if (ferror(f))
		return err_sys(e, RESOURCE, "read the configuration '%s'", s->name);
	if (s->bytes > MOST)
		return err_set(e, TOO_LARGE, "'%s' is larger than a configuration may be, %d KiB",
			       s->name, MOST / 1024);
	if (memchr(s->text, '\0', s->bytes))
		return err_set(e, CONFIG, "'%s' holds a NUL byte; a configuration is text",
			       s->name);
	return 0;
}

/* A JSON string is UTF-8, so the text must be. */
static int check_utf8(const struct source *s, struct err *e)
{
	unsigned line = 1;

	for (const char *at = s->text; *at; line++) {
		size_t n = strcspn(at, "\n");
		json_t *j = json_stringn(at, n);

		if (!j)
			return err_set(
				e, CONFIG,
				"line %u of '%s' is not UTF-8; save the file in that encoding",
				line, s->name);
		json_decref(j);
		at += n + (at[n] == '\n');
	}
	return 0;
}

static int open_file(const char *file, FILE **ret, char folder[static PATH_MAX], struct err *e)
{
	char copy[PATH_MAX];
	struct stat st;

	if (!str_copy(copy, sizeof copy, file))
		return err_set(e, USAGE, "the file name '%.60s...' is too long", file);
	if (!realpath(dirname(copy), folder) || !(*ret = fopen(file, "re")))
		return err_sys(e, RESOURCE, "open the configuration '%s'", file);
	if (fstat(fileno(*ret), &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(e, INVALID, "'%s' is a folder; name the *.qvmconf file in it", file);
	return 0;
}

int source_read(const char *file, struct source *ret, struct err *e)
{
	AUTO_SOURCE struct source s = {.name = file};
	AUTO_FILE FILE *f = NULL;
	char folder[PATH_MAX];

	if (!strcmp(file, "-")) {
		s.name = "<stdin>";
		if (!getcwd(folder, sizeof folder))
			return err_sys(e, RESOURCE, "find the present folder");
	} else if (open_file(file, &f, folder, e) < 0) {
		return -1;
	}
	if (!str_copy(s.folder, sizeof s.folder, folder))
		return err_set(e, USAGE, "the folder of '%s' has a path over %zu bytes", s.name,
			       sizeof s.folder - 1);
	if (read_whole(f ? f : stdin, &s, e) < 0 || check_utf8(&s, e) < 0)
		return -1;
	*ret = s;
	s = (struct source){0};
	return 0;
}

void source_free(struct source *s)
{
	free(s->text);
	*s = (struct source){0};
}

json_t *source_body(const struct source *s)
{
	json_t *body = json_pack("{s:s%, s:s}", "config", s->text, s->bytes, "folder", s->folder);

	if (!body)
		abort(); /* the text was checked, so it can only be memory */
	return body;
}

int source_check(struct command_call *c, const struct source *s, struct http_response *ret,
		 int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *body = source_body(s);
	AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
	struct err e;

	if (!text)
		abort();
	if (http_call(c->http,
		      &(struct http_request){.op = OP_check,
					     .body = text,
					     .body_bytes = strlen(text),
					     .body_type = "application/json"},
		      &r, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	if (!http_is_success(&r)) {
		*ret_status = problem_answer(&r, s, c->as_json);
		return -1;
	}
	*ret = r;
	r = (struct http_response){0};
	return 0;
}

char *source_line(const struct source *s, unsigned n)
{
	const char *at = s->text;

	for (; n > 1 && at; n--) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at && n == 1 ? escape_text(at, strcspn(at, "\n")) : NULL;
}
