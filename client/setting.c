/* SPDX-License-Identifier: Apache-2.0 */
#include "client/setting.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/show/escape.h"
#include "client/show/field.h"
#include "client/source.h"
#include "schemas/policy.h"

enum { NAME = 64, FORM = 128, LINE = 1024 };

static int unknown_field(const char *name, struct err *e)
{
	const char *near = policy_near(name);

	return err_set(e, USAGE,
		       "there is no policy field '%.64s'%s%s%s qvmadm set --help lists them", name,
		       near ? "; did you mean '" : ";", near ? near : "", near ? "'?" : "");
}

static json_t *read_bool(const char *value)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < NELEMS(yes); i++) {
		if (!strcmp(value, yes[i]))
			return json_true();
		if (!strcmp(value, no[i]))
			return json_false();
	}
	return NULL;
}

/* Plain digits are the field's own unit; a time may be written with one, as in 30s. */
static json_t *read_number(const char *name, const char *value)
{
	size_t n = strlen(name);
	bool is_time = n > 3 && !strcmp(name + n - 3, "_ms");
	struct err unused;
	int64_t ms;
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (*value && !*end && errno == 0)
		return json_integer(number);
	if (is_time && age_read_span(value, &ms, &unused) == 0)
		return json_integer(ms);
	return NULL;
}

/* What a name may be is the server's to judge. */
static json_t *read_names(const char *value)
{
	json_t *list = json_array();
	char name[NAME_CAP];

	while (policy_next_name(&value, name))
		json_array_append_new(list, json_string(name));
	return list;
}

/* *ret_form tells what would fit; some of it is made in `text`. */
static json_t *read_value(const struct policy_field *f, const char *value, char text[static FORM],
			  const char **ret_form)
{
	int64_t reaction;

	switch (f->kind) {
	case POLICY_BOOL: *ret_form = "true or false"; return read_bool(value);
	case POLICY_NUMBER:
		*ret_form = "a whole number; a time may have a unit, as in 500ms, 30s or 5m";
		return read_number(f->name, value);
	case POLICY_REACTION:
		*ret_form = reaction_list(text, FORM);
		return reaction_from_id(value, &reaction) == 0 ? json_string(value) : NULL;
	case POLICY_NAME: *ret_form = "the name of a VM"; return json_string(value);
	case POLICY_NAMES:
		*ret_form = "names of VMs, separated by commas";
		return read_names(value);
	}
	return NULL;
}

static int take(json_t *policy, const char *name, const char *value, struct err *e)
{
	const struct policy_field *f = policy_find(name);
	const char *form = "";
	char text[FORM];
	json_t *j;

	if (!f)
		return unknown_field(name, e);
	j = *value ? read_value(f, value, text, &form) : json_null();
	if (!j)
		return err_set(e, USAGE, "policy field '%s' cannot be '%s'; it is %s", name, value,
			       form);
	json_object_set_new(policy, name, j);
	return 0;
}

int setting_take(json_t *policy, const char *given, struct err *e)
{
	const char *equals = strchr(given, '=');
	char name[NAME];

	if (!equals || (size_t)(equals - given) >= sizeof name)
		return err_set(e, USAGE, "'%s' has not the form FIELD=VALUE", given);
	snprintf(name, sizeof name, "%.*s", (int)(equals - given), given);
	return take(policy, name, equals + 1, e);
}

static bool is_default(const struct policy_field *f, const json_t *value)
{
	int64_t n;

	switch (f->kind) {
	case POLICY_BOOL: return json_is_true(value) == (f->def != 0);
	case POLICY_NUMBER: return json_integer_value(value) == f->def;
	case POLICY_REACTION:
		return json_is_string(value) &&
		       reaction_from_id(json_string_value(value), &n) == 0 && n == f->def;
	case POLICY_NAME: return !json_is_string(value) || !*json_string_value(value);
	case POLICY_NAMES: break;
	}
	return json_array_size(value) == 0;
}

const char *setting_value(const json_t *value, char *ret, size_t cap)
{
	size_t n = 0, i;
	json_t *name;

	ret[0] = '\0';
	if (json_is_boolean(value))
		str_add(ret, cap, &n, "%s", json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		str_add(ret, cap, &n, "%" PRId64, (int64_t)json_integer_value(value));
	else if (json_is_string(value))
		str_add(ret, cap, &n, "%s", json_string_value(value));
	json_array_foreach ((json_t *)value, i, name)
		str_add(ret, cap, &n, "%s%s", i ? ", " : "", json_string_value(name));
	return ret;
}

char *setting_print(const json_t *policy)
{
	char *text = NULL, value[LINE];
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		abort();
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const json_t *j = json_object_get(policy, policy_fields[i].name);

		if (j && !is_default(&policy_fields[i], j))
			fprintf(f, "%s = %s\n", policy_fields[i].name,
				setting_value(j, value, sizeof value));
	}
	if (fclose(f) != 0)
		abort();
	return text;
}

/* The value that a VM has without saying anything, as text. */
static const char *default_of(const struct policy_field *f, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	if (f->kind == POLICY_BOOL)
		str_add(ret, cap, &n, "%s", f->def ? "true" : "false");
	else if (f->kind == POLICY_REACTION)
		str_add(ret, cap, &n, "%s", reaction_id(f->def));
	else if (f->kind == POLICY_NUMBER)
		str_add(ret, cap, &n, "%" PRId64, f->def);
	return ret;
}

char *setting_document(const json_t *policy)
{
	char *text = NULL, value[LINE];
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		abort();
	fputs("# A field without a line has its default, which stands here behind #.\n", f);
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *p = &policy_fields[i];
		const json_t *j = json_object_get(policy, p->name);
		bool is_set = j && !is_default(p, j);

		if (is_set)
			setting_value(j, value, sizeof value);
		else
			default_of(p, value, sizeof value);
		fprintf(f, "\n# %s\n%s%s = %s\n", p->what, is_set ? "" : "#", p->name, value);
	}
	if (fclose(f) != 0)
		abort();
	return text;
}

json_t *setting_defaults(void)
{
	json_t *policy = json_object();

	for (unsigned i = 0; i < policy_n_fields; i++)
		if (json_object_set_new(policy, policy_fields[i].name, json_null()) < 0)
			abort();
	return policy;
}

void setting_drop_nulls(json_t *policy)
{
	for (unsigned i = 0; i < policy_n_fields; i++)
		if (json_is_null(json_object_get(policy, policy_fields[i].name)))
			json_object_del(policy, policy_fields[i].name);
}

/* The table's ranges, for a file that is to be judged before anything is done. */
static int judge(const char *name, const json_t *value, struct err *e)
{
	const struct policy_field *f = policy_find(name);
	struct policy scratch = policy_default();
	char text[LINE];

	if (f->kind == POLICY_NUMBER && !json_is_null(value))
		return policy_set(&scratch, f, json_integer_value(value), e);
	if (policy_is_text(f) && !json_is_null(value))
		return policy_set_text(&scratch, f, setting_value(value, text, sizeof text), e);
	return 0;
}

/* Without the blanks around it, in place. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	for (n = strlen(s); n && strchr(" \t\r", s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int read_line(json_t *policy, char *line, struct err *e)
{
	char *equals = strchr(line, '='), *name, *value;

	if (!equals)
		return err_set(e, USAGE, "'%s' has not the form `field = value`", trim(line));
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	if (json_object_get(policy, name))
		return err_set(e, USAGE, "policy field '%s' is given twice", name);
	return take(policy, name, value, e) < 0 ? -1
						: judge(name, json_object_get(policy, name), e);
}

static void add_finding(json_t *findings, unsigned n, const char *line, const struct err *why)
{
	unsigned column = (unsigned)strspn(line, " \t") + 1;
	/* A sentence may have been cut within a character. */
	AUTO_FREE char *source = escape_text(line, strlen(line));
	AUTO_FREE char *what = escape_text(why->msg, strlen(why->msg));
	json_t *d = json_pack("{s:s,s:s,s:i,s:i,s:i,s:s,s:s,s:s}", "severity", "error", "file", "",
			      "line", (int)n, "column", (int)column, "length",
			      (int)strcspn(line + column - 1, " \t="), "source", source, "what",
			      what, "hint", "");

	if (!d || json_array_append_new(findings, d) < 0)
		abort();
}

int setting_parse(const struct source *s, json_t **ret)
{
	AUTO_JSON json_t *policy = json_object(), *findings = json_array();
	const char *at = s->text;
	struct err e;

	if (!policy || !findings)
		abort();
	for (unsigned n = 1; *at; n++) {
		size_t bytes = strcspn(at, "\n");
		AUTO_FREE char *line = strndup(at, bytes), *copy = strndup(at, bytes);
		const char *text = trim(copy);

		if (*text && *text != '#' && read_line(policy, copy, &e) < 0)
			add_finding(findings, n, line, &e);
		at += bytes + (at[bytes] == '\n');
	}
	if (json_array_size(findings)) {
		*ret = json_pack("{s:O}", "diagnostics", findings);
		return -1;
	}
	setting_drop_nulls(policy);
	*ret = json_incref(policy);
	return 0;
}

void setting_print_fields(FILE *f)
{
	fputs("\nPolicy fields\n", f);
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *p = &policy_fields[i];
		char def[FORM];

		fprintf(f, "  %-22s %s (%s)\n", p->name, p->what,
			policy_is_text(p) ? "none" : default_of(p, def, sizeof def));
	}
}
