/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/object.h"
#include "api/param.h"
#include "api/problem.h"
#include "base/auto.h"
#include "base/name.h"
#include "base/str.h"
#include "schemas/message.h"
#include "schemas/op.h"
#include "schemas/policy.h"
#include "schemas/resource.h"

static json_t *must(json_t *j)
{
	if (!j)
		abort();
	return j;
}

static json_t *text(const char *s)
{
	return must(json_string(s));
}

static void set(json_t *o, const char *key, json_t *take_value)
{
	if (json_object_set_new(o, key, must(take_value)) < 0)
		abort();
}

static json_t *type(const char *name)
{
	return must(json_pack("{s:s}", "type", name));
}

static json_t *reference(const char *section, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "#/components/%s/%s", section, name);
	return must(json_pack("{s:s}", "$ref", path));
}

static json_t *words(const char *of)
{
	json_t *o = type("string"), *list = object_list();
	const char *word;

	for (unsigned i = 0; (word = resource_word(of, i)); i++)
		object_append(list, text(word));
	set(o, "enum", list);
	return o;
}

static json_t *list_of(json_t *take_items)
{
	return must(json_pack("{s:s,s:o}", "type", "array", "items", take_items));
}

static json_t *map_of(const char *values)
{
	return must(json_pack("{s:s,s:{s:s}}", "type", "object", "additionalProperties", "type",
			      values));
}

static json_t *kind_schema(const struct resource_field *f)
{
	json_t *o;

	switch (f->kind) {
	case FIELD_INTEGER:
		o = type("integer");
		set(o, "format", text("int64"));
		return o;
	case FIELD_BOOL: return type("boolean");
	case FIELD_TIME:
		o = type("string");
		set(o, "format", text("date-time"));
		return o;
	case FIELD_HEX:
		o = type("string");
		set(o, "pattern", text("^0x[0-9a-f]+$"));
		return o;
	case FIELD_WORD: return words(f->of);
	case FIELD_OBJECT: return reference("schemas", f->of);
	case FIELD_LIST: return list_of(reference("schemas", f->of));
	case FIELD_TEXTS: return list_of(type("string"));
	case FIELD_COUNTS: return map_of("integer");
	case FIELD_FACTS: return map_of("string");
	case FIELD_TEXT: break;
	}
	return type("string");
}

static json_t *field_schema(const struct resource_field *f)
{
	json_t *o = kind_schema(f), *plain = json_object_get(o, "type");

	if (f->presence == FIELD_NULLABLE && plain)
		set(o, "type", json_pack("[s,s]", json_string_value(plain), "null"));
	else if (f->presence == FIELD_NULLABLE)
		o = must(json_pack("{s:[o,{s:s}]}", "anyOf", o, "type", "null"));
	set(o, "description", text(f->what));
	return o;
}

static json_t *policy_property(const struct policy_field *f)
{
	json_t *o, *list;

	switch (f->kind) {
	case POLICY_BOOL:
		o = type("boolean");
		set(o, "default", json_boolean(f->def));
		break;
	case POLICY_REACTION:
		o = type("string");
		list = object_list();
		for (int64_t r = 0; r < REACTION_COUNT; r++)
			object_append(list, text(reaction_id(r)));
		set(o, "enum", list);
		set(o, "default", text(reaction_id(f->def)));
		break;
	default:
		o = type("integer");
		set(o, "minimum", json_integer(f->min));
		set(o, "maximum", json_integer(f->max));
		set(o, "default", json_integer(f->def));
		break;
	}
	set(o, "description", text(f->what));
	return o;
}

static bool is_input(enum resource r)
{
	for (unsigned i = 0; i < OP_COUNT; i++)
		if (!strcmp(op_table[i].in, resource_name(r)))
			return true;
	return r == RESOURCE_policy;
}

static json_t *resource_schema(enum resource r)
{
	json_t *o = type("object"), *properties = object_new(), *required = object_list();

	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct resource_field *f = &resource_fields[i];

		if (f->resource != r)
			continue;
		set(properties, f->name, field_schema(f));
		if (f->presence != FIELD_MAYBE)
			object_append(required, text(f->name));
	}
	for (unsigned i = 0; r == RESOURCE_policy && i < policy_n_fields; i++)
		set(properties, policy_fields[i].name, policy_property(&policy_fields[i]));
	set(o, "description", text(resource_what(r)));
	if (json_object_size(properties))
		set(o, "properties", properties);
	else
		json_decref(properties);
	if (json_array_size(required))
		set(o, "required", required);
	else
		json_decref(required);
	/* A client must pass over members that it does not know; the server refuses them. */
	if (is_input(r))
		set(o, "additionalProperties", json_false());
	return o;
}

static json_t *param_schema(const struct param_row *p)
{
	json_t *o = type(p->kind == PARAM_NUMBER || p->kind == PARAM_FLAG ? "integer" : "string");

	switch (p->kind) {
	case PARAM_NUMBER:
	case PARAM_FLAG:
		set(o, "minimum", json_integer(p->min));
		if (p->max != INT64_MAX)
			set(o, "maximum", json_integer(p->max));
		if (p->def >= 0)
			set(o, "default", json_integer(p->def));
		break;
	case PARAM_SPAN:
		set(o, "pattern", text("^[0-9]+(ms|s|m)?$"));
		set(o, "examples", json_pack("[s,s]", "500ms", "30s"));
		break;
	case PARAM_NAME: set(o, "pattern", text("^" NAME_PATTERN "$")); break;
	case PARAM_TEXT: set(o, "maxLength", json_integer(p->max)); break;
	}
	return o;
}

static json_t *parameter(const char *name, const char *in, bool is_required, const char *what,
			 json_t *take_schema)
{
	return must(json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", name, "in", in, "required",
			      is_required, "description", what, "schema", take_schema));
}

static json_t *parameters(enum op_id op)
{
	const char *path = op_table[op].path;
	json_t *list = object_list();

	if (strstr(path, "{vm}"))
		object_append(list, parameter("vm", "path", true, "name of the VM",
					      json_pack("{s:s,s:s}", "type", "string", "pattern",
							"^" NAME_PATTERN "$")));
	if (strstr(path, "{id}"))
		object_append(list,
			      parameter("id", "path", true, "number of the operation",
					json_pack("{s:s,s:i}", "type", "integer", "minimum", 1)));
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op;
	     row++) {
		const struct param_row *p = &param_table[row];

		object_append(list, parameter(p->name, p->where == PARAM_QUERY ? "query" : "header",
					      false, p->what, param_schema(p)));
	}
	return list;
}

static json_t *content(const char *media_type, json_t *take_schema)
{
	return must(json_pack("{s:{s:o}}", media_type, "schema", take_schema));
}

static json_t *request_body(enum op_id op)
{
	const char *in = op_table[op].in;
	json_t *types;

	if (!strcmp(in, "text")) {
		types = content("text/plain", type("string"));
		set(types, "application/octet-stream",
		    json_pack("{s:{s:s}}", "schema", "type", "string"));
	} else {
		types = content("application/json", reference("schemas", in));
		set(types, "text/plain",
		    json_pack("{s:{s:s,s:s}}", "schema", "type", "string", "description",
			      "qvmconf text alone"));
	}
	return must(json_pack("{s:b,s:o}", "required", true, "content", types));
}

static json_t *header(const char *what)
{
	return must(json_pack("{s:s,s:{s:s}}", "description", what, "schema", "type", "string"));
}

static json_t *success_headers(enum op_id op)
{
	json_t *o = object_new();

	set(o, "Request-Id", reference("headers", "Request-Id"));
	if (op == OP_vm_put || op == OP_vm_show || op == OP_vm_config)
		set(o, "ETag", header("the revision, in quotes"));
	if (!strcmp(op_table[op].out, "operation") && op_table[op].method == OP_POST)
		set(o, "Location", header("the path of the operation"));
	if (op == OP_vm_console) {
		set(o, "Console-Position", header("where to go on, with since="));
		set(o, "Console-Generation", header("which worker of the VM printed it"));
	}
	return o;
}

static json_t *success(enum op_id op)
{
	const char *out = op_table[op].out;
	json_t *o = must(json_pack("{s:s,s:o}", "description", resource_what(resource_find(out)),
				   "headers", success_headers(op)));

	if (!strcmp(out, "none"))
		return o;
	if (!strcmp(out, "text"))
		set(o, "content", content("text/plain; charset=utf-8", type("string")));
	else if (!strcmp(out, "document"))
		set(o, "content", content("application/json", type("object")));
	else if (op == OP_event_list)
		set(o, "content",
		    json_pack("{s:{s:o},s:{s:o}}", "application/x-ndjson", "schema",
			      reference("schemas", out), "text/event-stream", "schema",
			      reference("schemas", out)));
	else
		set(o, "content", content("application/json", reference("schemas", out)));
	return o;
}

static bool accepts_wait(enum op_id op)
{
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op; row++)
		if (param_table[row].kind == PARAM_SPAN)
			return true;
	return false;
}

/* The statuses that an operation can end with; what else may be is `default`. */
static json_t *responses(enum op_id op)
{
	const struct op *o = &op_table[op];
	bool has_body = strcmp(o->in, "none") != 0,
	     has_config = has_body && strcmp(o->in, "text") != 0;
	const struct {
		int status;
		bool is_possible;
	} problems[] = {
		{400, true},
		{403, o->role > ROLE_READER},
		{404, strchr(o->path, '{') != NULL},
		{409, o->kind == OP_KIND_CALL && strchr(o->path, '{')},
		{412, op == OP_vm_put || op == OP_vm_delete},
		{413, has_body},
		{415, has_body},
		{422, has_config && op != OP_check},
		{503, true},
		{504, o->kind == OP_KIND_CALL},
	};
	json_t *list = object_new();
	char digits[8];

	snprintf(digits, sizeof digits, "%d", o->status);
	set(list, digits, success(op));
	if (op == OP_vm_put)
		set(list, "201", success(op));
	if (accepts_wait(op) && o->status != 200)
		set(list, "200", success(op));
	for (size_t i = 0; i < NELEMS(problems); i++) {
		if (!problems[i].is_possible)
			continue;
		snprintf(digits, sizeof digits, "%d", problems[i].status);
		set(list, digits,
		    op == OP_health && problems[i].status == 503
			    ? success(op)
			    : reference("responses", "problem"));
	}
	set(list, "default", reference("responses", "problem"));
	return list;
}

static json_t *tag_of(const struct op *o)
{
	const char *from = strncmp(o->path, "/v1/", 4) ? o->path + 1 : o->path + 4;
	size_t n = strcspn(from, "/");

	return object_string(from, n);
}

static json_t *operation(enum op_id op)
{
	const struct op *o = &op_table[op];
	char what[256];
	size_t n = 0;
	json_t *item = object_new();

	str_add(what, sizeof what, &n, "Role: %s.", role_id(o->role));
	if (*o->cli)
		str_add(what, sizeof what, &n, " Command: qvmadm %s.", o->cli);
	set(item, "operationId", text(o->id));
	set(item, "summary", text(o->summary));
	set(item, "description", text(what));
	set(item, "tags", json_pack("[o]", tag_of(o)));
	set(item, "x-role", text(role_id(o->role)));
	if (o->role == ROLE_ANYONE)
		set(item, "security", object_list());
	set(item, "parameters", parameters(op));
	if (strcmp(o->in, "none") != 0)
		set(item, "requestBody", request_body(op));
	set(item, "responses", responses(op));
	return item;
}

static json_t *paths(void)
{
	static const char *const key[OP_METHODS] = {"get", "put", "post", "delete"};
	json_t *all = object_new();

	for (unsigned i = 0; i < OP_COUNT; i++) {
		const struct op *o = &op_table[i];

		if (!json_object_get(all, o->path))
			set(all, o->path, object_new());
		set(json_object_get(all, o->path), key[o->method], operation((enum op_id)i));
	}
	return all;
}

/* Every error that a problem's type can name. */
static void list_types(json_t *problem)
{
	json_t *list = object_list(),
	       *type_field = json_object_get(json_object_get(problem, "properties"), "type");
	char urn[64];

	for (unsigned c = 1; c < ERR_COUNT; c++) {
		snprintf(urn, sizeof urn, "urn:qvm:error:%s", err_id((enum err_code)c));
		object_append(list, text(urn));
	}
	set(type_field, "enum", list);
}

static json_t *schemas(void)
{
	json_t *all = object_new();

	for (unsigned r = 0; r < RESOURCE_COUNT; r++)
		if (r != RESOURCE_none && r != RESOURCE_text && r != RESOURCE_document)
			set(all, resource_name((enum resource)r),
			    resource_schema((enum resource)r));
	list_types(json_object_get(all, "problem"));
	return all;
}

static json_t *components(void)
{
	json_t *problem = must(json_pack(
		"{s:s,s:{s:o},s:o}", "description", "what went wrong, where, and what to do",
		"headers", "Request-Id", reference("headers", "Request-Id"), "content",
		content(PROBLEM_TYPE, reference("schemas", "problem"))));
	json_t *peer = must(json_pack("{s:s,s:s}", "type", "mutualTLS", "description",
				      "Over the unix socket: the kernel tells who calls. root and "
				      "the supervisor's own user are "
				      "admin, the groups qvm-admin and qvm-operator have their "
				      "role, others are readers."));

	return must(json_pack("{s:o,s:{s:o},s:{s:o},s:{s:o}}", "schemas", schemas(), "responses",
			      "problem", problem, "headers", "Request-Id",
			      header("id of this request, in every log line about it"),
			      "securitySchemes", "peer", peer));
}

static json_t *tags(void)
{
	static const struct {
		const char *name, *what;
	} known[] = {
		{"healthz", "Is it alive"},	{"openapi.json", "This document"},
		{"host", "The host"},		{"check", "Configurations"},
		{"vms", "Virtual machines"},	{"events", "What happened"},
		{"operations", "What goes on"},
	};
	json_t *list = object_list();

	for (size_t i = 0; i < NELEMS(known); i++)
		object_append(list, json_pack("{s:s,s:s}", "name", known[i].name, "description",
					      known[i].what));
	return list;
}

char *openapi_print(void)
{
	AUTO_JSON json_t *root = object_new();
	char *out;

	set(root, "openapi", text("3.1.0"));
	set(root, "info",
	    json_pack(
		    "{s:s,s:s,s:s,s:{s:s,s:s}}", "title", "qvm", "version", QVM_VERSION,
		    "description",
		    "Virtual machines with design safe states: their lifecycle, their health, why "
		    "they failed. Errors are problems (RFC 9457).",
		    "license", "name", "Apache-2.0", "identifier", "Apache-2.0"));
	set(root, "servers",
	    json_pack("[{s:s,s:s}]", "url", "http://qvm", "description",
		      "over the unix socket RUN/api.sock"));
	set(root, "security", json_pack("[{s:[]}]", "peer"));
	set(root, "tags", tags());
	set(root, "paths", paths());
	set(root, "components", components());
	out = json_dumps(root, JSON_INDENT(1));
	if (!out)
		abort();
	return out;
}
