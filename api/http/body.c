/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/body.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/http/body_policy.h"
#include "api/view/object.h"
#include "base/auto.h"
#include "base/str.h"
#include "schemas/message.h"
#include "schemas/resource.h"

static const struct {
	const char *name;
	enum body_type type;
} types[] = {
	{"application/json", BODY_JSON},
	{"application/merge-patch+json", BODY_PATCH},
	{"text/plain", BODY_TEXT},
	{"application/octet-stream", BODY_BYTES},
};

/* A configuration, with or without what belongs to it. */
static bool takes_config(enum op_id op)
{
	return resource_has(resource_find(op_table[op].in), "config");
}

static bool accepts(enum op_id op, enum body_type t)
{
	if (!strcmp(op_table[op].in, "text"))
		return t == BODY_TEXT || t == BODY_BYTES;
	return t == BODY_JSON || (t == BODY_TEXT && takes_config(op)) ||
	       (t == BODY_PATCH && op_table[op].method == OP_PATCH);
}

static int refuse_type(enum op_id op, const char *given, struct err *e)
{
	bool is_text = !strcmp(op_table[op].in, "text");

	return err_set(e, MEDIA_TYPE, "the body has %s%.80s; %s %s takes %s",
		       given ? "the type " : "", given ? given : "no Content-Type",
		       op_method_name(op_table[op].method), op_table[op].path,
		       is_text ? "text/plain or application/octet-stream"
		       : op_table[op].method == OP_PATCH
			       ? "application/merge-patch+json or application/json"
		       : takes_config(op)
			       ? "application/json, or a configuration alone as text/plain"
			       : "application/json");
}

/* Parameters: only charset=utf-8, which is what all of it is. */
static bool is_utf8_or_silent(const char *parameters)
{
	static const char *const charset[] = {"charset=utf-8", "charset=\"utf-8\""};

	parameters += strspn(parameters, " \t;");
	if (!*parameters)
		return true;
	for (size_t i = 0; i < NELEMS(charset); i++) {
		size_t n = strlen(charset[i]);

		if (!strncasecmp(parameters, charset[i], n))
			return parameters[n + strspn(parameters + n, " \t;")] == '\0';
	}
	return false;
}

int body_type(enum op_id op, const char *content_type, enum body_type *ret, struct err *e)
{
	if (!content_type)
		return refuse_type(op, NULL, e);
	for (size_t i = 0; i < NELEMS(types); i++) {
		size_t n = strlen(types[i].name);

		if (strncasecmp(content_type, types[i].name, n) != 0 ||
		    (content_type[n] && !strchr(" \t;", content_type[n])))
			continue;
		if (!accepts(op, types[i].type) || !is_utf8_or_silent(content_type + n))
			break;
		*ret = types[i].type;
		return 0;
	}
	return refuse_type(op, content_type, e);
}

static int set_config(struct body *b, const json_t *j, struct err *e)
{
	if (!json_is_string(j))
		return err_set(e, INVALID,
			       "member 'config' is %s; it must be a string of qvmconf text",
			       object_kind(j));
	b->config_bytes = json_string_length(j);
	if (b->config_bytes > MESSAGE_CONFIG_MAX)
		return err_set(e, TOO_LARGE, "member 'config' has %zu bytes; it may have %d",
			       b->config_bytes, MESSAGE_CONFIG_MAX);
	b->config = malloc(b->config_bytes + 1);
	if (!b->config)
		abort();
	memcpy(b->config, json_string_value(j), b->config_bytes + 1);
	return 0;
}

static int set_folder(struct body *b, const json_t *j, struct err *e)
{
	if (!json_is_string(j) || json_string_value(j)[0] != '/')
		return err_set(e, INVALID,
			       "member 'folder' is %s; it must be an absolute path, as a string",
			       json_is_string(j) ? "relative" : object_kind(j));
	if (!str_copy(b->folder, sizeof b->folder, json_string_value(j)))
		return err_set(e, INVALID, "member 'folder' has %zu bytes; it may have %zu",
			       json_string_length(j), sizeof b->folder - 1);
	return 0;
}

static int set_policy(struct body *b, const json_t *j, struct err *e)
{
	return body_policy_read(j, false, b, e);
}

static int patch_policy(struct body *b, const json_t *j, struct err *e)
{
	return body_policy_read(j, true, b, e);
}

static int set_role(struct body *b, const json_t *j, struct err *e)
{
	for (unsigned r = ROLE_READER; r < ROLE_COUNT && json_is_string(j); r++)
		if (!strcmp(json_string_value(j), role_id(r))) {
			b->token.role = r;
			return 0;
		}
	return err_set(e, INVALID,
		       "member 'role' is %.32s; it must be 'reader', 'operator' or "
		       "'admin'",
		       json_is_string(j) ? json_string_value(j) : object_kind(j));
}

static int set_vms(struct body *b, const json_t *j, struct err *e)
{
	if (json_is_string(j) && str_copy(b->token.vms, sizeof b->token.vms, json_string_value(j)))
		return 0;
	return err_set(e, INVALID,
		       "member 'vms' is %s; it must be a pattern of VM names like 'web-*', of at "
		       "most %zu bytes",
		       json_is_string(j) ? "too long" : object_kind(j), sizeof b->token.vms - 1);
}

static int set_expires_in(struct body *b, const json_t *j, struct err *e)
{
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return err_set(e, INVALID,
			       "member 'expires_in' is %s; it must be a whole number of seconds",
			       json_is_integer(j) ? "negative" : object_kind(j));
	b->token.lives_s = json_integer_value(j);
	return 0;
}

static int set_certificate(struct body *b, const json_t *j, struct err *e)
{
	if (!json_is_boolean(j))
		return err_set(e, INVALID, "member 'certificate' is %s; it must be true or false",
			       object_kind(j));
	b->token.is_certificate = json_is_true(j);
	return 0;
}

/* One row a member that a request may have: its setter. */
static const struct {
	enum field field;
	int (*set)(struct body *b, const json_t *j, struct err *e);
} setters[] = {
	{FIELD_vm_in_config, set_config},
	{FIELD_vm_in_folder, set_folder},
	{FIELD_vm_in_policy, set_policy},
	{FIELD_vm_patch_policy, patch_policy},
	{FIELD_check_in_config, set_config},
	{FIELD_check_in_folder, set_folder},
	{FIELD_token_in_role, set_role},
	{FIELD_token_in_vms, set_vms},
	{FIELD_token_in_expires_in, set_expires_in},
	{FIELD_token_in_certificate, set_certificate},
};

/* What a VM has and a patch cannot change. */
static int not_by_patch(const char *name, struct err *e)
{
	if (!strcmp(name, "name"))
		return err_set(
			e, INVALID,
			"a VM cannot be renamed: journal, incidents, dumps, tokens and hooks know "
			"it by its name. PUT the same configuration as a new VM, stop this one, "
			"start that one, then DELETE this one");
	if (!strcmp(name, "config") || !strcmp(name, "folder"))
		return err_set(
			e, INVALID,
			"member '%s' is not changed by PATCH, as a configuration has no parts to "
			"merge: PUT the whole; without 'policy' that leaves the policy as it is",
			name);
	return err_set(e, INVALID, "member '%.64s' is told, not set; PATCH changes 'policy' alone",
		       name);
}

static int no_such_member(enum resource r, const char *name, struct err *e)
{
	struct str_near member = str_near(name);
	char known[128] = "";
	size_t n = 0;

	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if (resource_fields[f].resource != r)
			continue;
		str_try(&member, resource_fields[f].name);
		str_add(known, sizeof known, &n, "%s'%s'", n ? ", " : "", resource_fields[f].name);
	}
	if (member.near)
		return err_set(e, INVALID, "there is no member '%.64s' here; did you mean '%s'?",
			       name, member.near);
	return err_set(e, INVALID, "there is no member '%.64s' here; there are: %s", name, known);
}

static int set_member(struct body *b, enum resource r, const char *name, const json_t *j,
		      struct err *e)
{
	snprintf(b->pointer, sizeof b->pointer, "/%.64s", name);
	for (size_t i = 0; i < NELEMS(setters); i++)
		if (resource_fields[setters[i].field].resource == r &&
		    !strcmp(resource_fields[setters[i].field].name, name))
			return setters[i].set(b, j, e);
	if (r == RESOURCE_vm_patch && resource_has(RESOURCE_vm, name))
		return not_by_patch(name, e);
	return no_such_member(r, name, e);
}

static int check_required(const json_t *root, enum resource r, struct body *b, struct err *e)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct resource_field *f = &resource_fields[i];

		if (f->resource != r || f->presence != FIELD_ALWAYS ||
		    json_object_get(root, f->name))
			continue;
		b->pointer[0] = '\0';
		return err_set(e, INVALID, "the body has no member '%s' (%s)", f->name, f->what);
	}
	return 0;
}

static int no_json(const json_error_t *why, struct err *e)
{
	enum json_error_code code = json_error_code(why);

	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		return err_set(e, INVALID, "a string of the body holds a NUL (line %d, column %d)",
			       why->line, why->column);
	return err_set(e, INVALID, "the body is no acceptable JSON: %.120s (line %d, column %d)",
		       why->text, why->line, why->column);
}

static int parse_json(enum op_id op, const char *bytes, size_t n, struct body *b, struct err *e)
{
	enum resource r = resource_find(op_table[op].in);
	json_error_t why;
	AUTO_JSON json_t *root = NULL;
	const char *name;
	json_t *value;

	root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return no_json(&why, e);
	if (!json_is_object(root))
		return err_set(e, INVALID, "the body is %s; it must be an object",
			       object_kind(root));
	json_object_foreach (root, name, value)
		if (set_member(b, r, name, value, e) < 0)
			return -1;
	return check_required(root, r, b, e);
}

/* A configuration alone. */
static int parse_text(const char *bytes, size_t n, struct body *b, struct err *e)
{
	AUTO_JSON json_t *text = NULL;

	if (memchr(bytes, '\0', n))
		return err_set(e, INVALID, "the text holds a NUL byte; a configuration is text");
	text = json_stringn(bytes, n);
	if (!text)
		return err_set(e, INVALID, "the text is not UTF-8");
	return set_config(b, text, e);
}

int body_parse(enum op_id op, enum body_type type, const char *bytes, size_t n, struct body *ret,
	       struct err *e)
{
	struct body b = {0};
	int result;

	if (n == 0)
		result = err_set(e, INVALID, "the body is empty; %s %s needs one",
				 op_method_name(op_table[op].method), op_table[op].path);
	else
		result = type == BODY_TEXT ? parse_text(bytes, n, &b, e)
					   : parse_json(op, bytes, n, &b, e);
	if (result < 0) {
		free(b.config);
		b.config = NULL;
	} else {
		b.pointer[0] = '\0';
	}
	*ret = b;
	return result;
}

void body_free(struct body *b)
{
	free(b->config);
	*b = (struct body){0};
}
