/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/field.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/escape.h"
#include "client/show/term.h"

static json_t *clean(const json_t *j, bool keep_lines);

static json_t *clean_text(const json_t *j, bool keep_lines)
{
	AUTO_FREE char *s = escape_text(json_string_value(j), json_string_length(j));

	for (char *p = s; !keep_lines && *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return json_string(s);
}

static json_t *clean_object(const json_t *j)
{
	static const char *const many_lines[] = {"console", "log", "config"};
	json_t *out = json_object();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)j, key, value) {
		AUTO_FREE char *name = escape_text(key, strlen(key));
		bool keep = false;

		for (size_t i = 0; i < NELEMS(many_lines); i++)
			keep |= !strcmp(key, many_lines[i]);
		json_object_set_new(out, name, clean(value, keep));
	}
	return out;
}

/* Depth is bounded by jansson's parser (JSON_PARSER_MAX_DEPTH, 2048). */
static json_t *clean(const json_t *j, bool keep_lines)
{
	if (json_is_string(j))
		return clean_text(j, keep_lines);
	if (json_is_object(j))
		return clean_object(j);
	if (json_is_array(j)) {
		json_t *out = json_array(), *value;
		size_t i;

		json_array_foreach ((json_t *)j, i, value)
			json_array_append_new(out, clean(value, keep_lines));
		return out;
	}
	return json_deep_copy(j);
}

int field_parse(const char *text, size_t n, json_t **ret, struct err *e)
{
	json_error_t why;
	AUTO_JSON json_t *raw = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

	if (!raw)
		return err_set(
			e, NO_SERVER,
			"the server's answer is not JSON (%s at byte %d of %zu); is it a qvmd "
			"that listens there?",
			why.text, why.position, n);
	*ret = clean(raw, false);
	return 0;
}

const char *field_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

const char *field_word(const json_t *o, const char *name)
{
	const char *s = field_text(o, name);

	return *s ? s : "-";
}

int64_t field_number(const json_t *o, const char *name, int64_t otherwise)
{
	json_t *j = json_object_get(o, name);

	return json_is_integer(j) ? json_integer_value(j) : otherwise;
}

bool field_true(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

uint64_t field_address(const json_t *o, const char *name)
{
	json_t *j = json_object_get(o, name);

	if (json_is_string(j))
		return strtoull(json_string_value(j), NULL, 0);
	if (json_is_real(j)) /* above 2^63, jansson reads a real */
		return (uint64_t)json_real_value(j);
	return (uint64_t)json_integer_value(j);
}

json_t *field_list(const json_t *o, const char *name)
{
	json_t *j = json_object_get(o, name);

	return json_is_array(j) ? j : NULL;
}

void field_print(const char *text, size_t n)
{
	AUTO_FREE char *out = NULL;
	AUTO_JSON json_t *j = NULL;

	if (!term_is_tty(stdout)) {
		fwrite(text, 1, n, stdout);
		if (n && text[n - 1] != '\n')
			fputc('\n', stdout);
		return;
	}
	/* JSON writes control bytes as \u001b by itself; the filter is for the rest. */
	j = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (j) {
		AUTO_FREE char *pretty =
			json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);

		out = pretty ? escape_text(pretty, strlen(pretty)) : NULL;
	} else {
		out = escape_text(text, n);
	}
	printf("%s\n", out ? out : "");
}

void field_print_object(const json_t *o)
{
	AUTO_FREE char *text = json_dumps(o, JSON_COMPACT);

	if (!text)
		abort();
	field_print(text, strlen(text));
}
