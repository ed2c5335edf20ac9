/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/escape.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/http.h"
#include "client/show/term.h"

#define TYPE "urn:qvm:error:"

static char usage_hint[80] = "qvmadm help lists the verbs";

void problem_verb(const char *name)
{
	snprintf(usage_hint, sizeof usage_hint, "qvmadm %s --help shows the form of this verb",
		 name);
}

static const char *hint_of(enum err_code code)
{
	return code == ERR_USAGE ? usage_hint : err_hint(code);
}

enum err_code problem_code(const char *type, long status)
{
	if (!strncmp(type, TYPE, strlen(TYPE)))
		for (unsigned c = 1; c < ERR_COUNT; c++)
			if (!strcmp(err_id(c), type + strlen(TYPE)))
				return c;
	for (unsigned c = 1; c < ERR_COUNT; c++)
		if (err_http(c) == status)
			return c;
	return ERR_INTERNAL;
}

void problem_line(const char *label, const char *text)
{
	if (*text)
		fprintf(stderr, "  %s%s:%s %s\n", term_on(stderr, TERM_COOL), label,
			term_off(stderr, TERM_COOL), text);
}

static void print_head(const char *text)
{
	fprintf(stderr, "%sqvmadm:%s %s\n", term_on(stderr, TERM_BAD), term_off(stderr, TERM_BAD),
		text);
}

/* "journalctl QVM_REQUEST=<request>" of the table becomes a line to copy. */
static void print_hint(const char *hint, const char *request)
{
	static const char mark[] = "<request>";
	const char *at = strstr(hint, mark);
	AUTO_FREE char *text = NULL;

	if (!at || !*request) {
		problem_line("hint", hint);
		return;
	}
	if (asprintf(&text, "%.*s%s%s", (int)(at - hint), hint, request, at + strlen(mark)) < 0)
		abort();
	problem_line("hint", text);
}

int problem_print(const json_t *p, long status, const struct source *source)
{
	enum err_code code = problem_code(field_text(p, "type"), status);
	const char *text = field_text(p, "detail"), *hint = field_text(p, "hint");
	const char *request = field_text(p, "request");

	finding_print(stderr, p, source);
	if (!*text)
		text = field_text(p, "title");
	print_head(*text ? text : err_id(code));
	if (json_array_size(field_list(p, "diagnostics")) == 0) /* those hint by themselves */
		print_hint(*hint && code != ERR_USAGE ? hint : hint_of(code), request);
	problem_line("request", request);
	return err_exit(code);
}

int problem_answer(const struct http_response *r, const struct source *source, bool as_json)
{
	AUTO_JSON json_t *p = NULL;
	AUTO_FREE char *said = NULL;
	char head[96], wait[48];
	struct err e;

	if (field_parse(r->body, r->body_bytes, &p, &e) == 0 && json_is_object(p)) {
		if (as_json) {
			field_print(r->body, r->body_bytes);
			return err_exit(problem_code(field_text(p, "type"), r->status));
		}
		int status = problem_print(p, r->status, source);

		snprintf(wait, sizeof wait, "try again in %ld s", r->retry_after_s);
		problem_line("wait", r->retry_after_s ? wait : "");
		return status;
	}
	said = escape_text(r->body, r->body_bytes < 400 ? r->body_bytes : 400);
	snprintf(head, sizeof head, "the server answered with HTTP status %ld and no explanation",
		 r->status);
	print_head(head);
	problem_line("it said", said);
	return err_exit(problem_code("", r->status));
}

int problem_local(const struct err *e, bool as_json)
{
	return problem_local_with(e, e->code == ERR_USAGE ? hint_of(ERR_USAGE) : err_advice(e),
				  as_json);
}

int problem_local_with(const struct err *e, const char *hint, bool as_json)
{
	AUTO_FREE char *text = escape_text(e->msg, strlen(e->msg));

	if (as_json) {
		AUTO_JSON json_t *p =
			json_pack("{s:s+,s:s,s:i,s:s,s:s*}", "type", TYPE, err_id(e->code), "title",
				  err_id(e->code), "status", err_http(e->code), "detail", text,
				  "hint", *hint ? hint : NULL);
		AUTO_FREE char *out = p ? json_dumps(p, JSON_COMPACT) : NULL;

		if (!out)
			abort();
		field_print(out, strlen(out));
		return err_exit(e->code);
	}
	print_head(text);
	problem_line("hint", hint);
	return err_exit(e->code);
}
