/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/problem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/view/object.h"

enum { TITLE = 64, HINT = 320 };

/* The kind in words: "not-found" is "Not found". */
static void put_title(json_t *o, enum err_code code)
{
	char title[TITLE];

	snprintf(title, sizeof title, "%s", err_id(code));
	title[0] = (char)toupper((unsigned char)title[0]);
	for (char *p = strchr(title, '-'); p; p = strchr(p, '-'))
		*p = ' ';
	object_text(o, FIELD_problem_title, title);
}

static void put_hint(json_t *o, const char *hint, const char *request)
{
	static const char mark[] = "<request>";
	const char *at = strstr(hint, mark);
	char text[HINT];

	if (at && *request)
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - hint), hint, request,
			 at + strlen(mark));
	else
		snprintf(text, sizeof text, "%s", hint);
	object_text(o, FIELD_problem_hint, text);
}

static json_t *head(enum err_code code, const char *detail, const char *hint, const char *request)
{
	json_t *o = object_new();
	char type[TITLE];

	snprintf(type, sizeof type, "urn:qvm:error:%s", err_id(code));
	object_text(o, FIELD_problem_type, type);
	put_title(o, code);
	object_int(o, FIELD_problem_status, err_http(code));
	object_text(o, FIELD_problem_detail, detail);
	put_hint(o, hint, request);
	if (*request)
		object_text(o, FIELD_problem_request, request);
	return o;
}

static json_t *origin_of(const struct err *e)
{
	json_t *list = object_list();
	char line[ERR_WHERE + ERR_NOTE + 4];

	for (unsigned i = 0; i < e->n_frames; i++) {
		/* The note of the innermost frame is its hint. */
		snprintf(line, sizeof line, "%s%s%s", e->frame[i].where, i ? ": " : "",
			 i ? e->frame[i].note : "");
		object_append(list, object_string(line, strlen(line)));
	}
	return list;
}

static json_t *split(const char *words)
{
	json_t *list = object_list();

	while (*words) {
		size_t n = strcspn(words, ",");

		object_append(list, object_string(words, n));
		words += n;
		words += strspn(words, ", ");
	}
	return list;
}

json_t *problem_make(const struct err *e, uint64_t request, const struct problem_more *m)
{
	char id[24] = "";
	json_t *o;

	if (request)
		snprintf(id, sizeof id, "%016" PRIx64, request);
	o = head((enum err_code)e->code, e->msg, err_advice(e), id);
	if (e->n_frames)
		object_take(o, FIELD_problem_origin, origin_of(e));
	if (m && m->hint)
		object_text(o, FIELD_problem_hint, m->hint);
	if (m && m->allowed && *m->allowed)
		object_take(o, FIELD_problem_allowed, split(m->allowed));
	if (m && m->pointer && *m->pointer)
		object_text(o, FIELD_problem_pointer, m->pointer);
	if (m && m->diagnostics) {
		object_take(o, FIELD_problem_diagnostics, json_incref(m->diagnostics));
		object_int(o, FIELD_problem_more, m->n_more);
	}
	return o;
}

json_t *problem_of_row(const char *error_id, const char *text, const char *origin,
		       const char *request)
{
	unsigned code = 1;
	json_t *o;

	while (code < ERR_COUNT && strcmp(err_id((enum err_code)code), error_id) != 0)
		code++;
	if (code == ERR_COUNT)
		code = ERR_INTERNAL;
	o = head((enum err_code)code, text, err_hint((enum err_code)code), request);
	if (*origin) {
		json_t *list = object_list();

		object_append(list, object_string(origin, strlen(origin)));
		object_take(o, FIELD_problem_origin, list);
	}
	return o;
}
