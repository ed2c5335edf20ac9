/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/openapi.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/view/object.h"
#include "api/http/param.h"
#include "api/http/problem.h"
#include "api/view/schema.h"
#include "base/auto.h"
#include "base/name.h"
#include "base/str.h"
#include "schemas/op.h"
#include "schemas/resource.h"

static json_t *must(json_t *j)
{
	if (!j)
		abort();
	return j;
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
	if (strstr(path, "{token}"))
		object_append(list, parameter("token", "path", true, "name of the token",
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
					      false, p->what, schema_of_param(p)));
	}
	if (op_table[op].kind == OP_KIND_CALL)
		object_append(list,
			      parameter("Request-Id", "header", false,
					"16 hexadecimal digits, by chance, for this request; sent "
					"again with it, a request that makes an operation answers "
					"with that of the first time",
					json_pack("{s:s,s:s}", "type", "string", "pattern",
						  "^[0-9a-f]{16}$")));
	return list;
}

static json_t *content(const char *media_type, json_t *take_schema)
{
	return must(json_pack("{s:{s:o}}", media_type, "schema", take_schema));
}

static bool takes_config(enum op_id op)
{
	return resource_has(resource_find(op_table[op].in), "config");
}

static json_t *request_body(enum op_id op)
{
	const char *in = op_table[op].in;
	json_t *types;

	if (!strcmp(in, "text")) {
		types = content("text/plain", schema_type("string"));
		schema_set(types, "application/octet-stream",
			   json_pack("{s:{s:s}}", "schema", "type", "string"));
	} else {
		types = content("application/json", schema_reference("schemas", in));
		if (takes_config(op))
			schema_set(types, "text/plain",
				   json_pack("{s:{s:s,s:s}}", "schema", "type", "string",
					     "description", "qvmconf text alone"));
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

	schema_set(o, "Request-Id", schema_reference("headers", "Request-Id"));
	if (op == OP_vm_put || op == OP_vm_show || op == OP_vm_config)
		schema_set(o, "ETag", header("the revision, in quotes"));
	if (!strcmp(op_table[op].out, "operation") && op_table[op].method == OP_POST)
		schema_set(o, "Location", header("the path of the operation"));
	if (op == OP_vm_console) {
		schema_set(o, "Console-Position", header("where to go on, with since="));
		schema_set(o, "Console-Generation", header("which worker of the VM printed it"));
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
		schema_set(o, "content", content("text/plain", schema_type("string")));
	else if (!strcmp(out, "document"))
		schema_set(o, "content", content("application/json", schema_type("object")));
	else if (op == OP_event_list)
		schema_set(o, "content",
			   json_pack("{s:{s:o},s:{s:o}}", "application/x-ndjson", "schema",
				     schema_reference("schemas", out), "text/event-stream",
				     "schema", schema_reference("schemas", out)));
	else
		schema_set(o, "content",
			   content("application/json", schema_reference("schemas", out)));
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
	bool has_body = strcmp(o->in, "none") != 0, has_config = takes_config(op);
	const struct {
		int status;
		bool is_possible;
	} problems[] = {
		{400, true},
		{401, o->role > ROLE_ANYONE},
		{403, o->role > ROLE_ANYONE},
		{404, strchr(o->path, '{') != NULL},
		{409, (o->kind == OP_KIND_CALL && strchr(o->path, '{')) || op == OP_check ||
			      op == OP_vm_status || op == OP_vm_map},
		{412, op == OP_vm_put || op == OP_vm_delete},
		{413, has_body},
		{415, has_body},
		{422, has_config && op != OP_check},
		{429, true},
		{502, has_config}, /* the worker that checks it may be lost */
		{503, true},
		{504, o->kind == OP_KIND_CALL},
	};
	json_t *list = object_new();
	char digits[8];

	snprintf(digits, sizeof digits, "%d", o->status);
	schema_set(list, digits, success(op));
	if (op == OP_vm_put)
		schema_set(list, "201", success(op));
	if (accepts_wait(op) && o->status != 200)
		schema_set(list, "200", success(op));
	for (size_t i = 0; i < NELEMS(problems); i++) {
		if (!problems[i].is_possible)
			continue;
		snprintf(digits, sizeof digits, "%d", problems[i].status);
		schema_set(list, digits,
			   op == OP_health && problems[i].status == 503
				   ? success(op)
				   : schema_reference("responses", "problem"));
	}
	schema_set(list, "default", schema_reference("responses", "problem"));
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
	schema_set(item, "operationId", schema_text(o->id));
	schema_set(item, "summary", schema_text(o->summary));
	schema_set(item, "description", schema_text(what));
	schema_set(item, "tags", json_pack("[o]", tag_of(o)));
	schema_set(item, "x-role", schema_text(role_id(o->role)));
	if (o->role == ROLE_ANYONE)
		schema_set(item, "security", object_list());
	schema_set(item, "parameters", parameters(op));
	if (strcmp(o->in, "none") != 0)
		schema_set(item, "requestBody", request_body(op));
	schema_set(item, "responses", responses(op));
	return item;
}

static json_t *paths(void)
{
	static const char *const key[OP_METHODS] = {"get", "put", "post", "delete"};
	json_t *all = object_new();

	for (unsigned i = 0; i < OP_COUNT; i++) {
		const struct op *o = &op_table[i];

		if (!json_object_get(all, o->path))
			schema_set(all, o->path, object_new());
		schema_set(json_object_get(all, o->path), key[o->method], operation((enum op_id)i));
	}
	return all;
}

static json_t *components(void)
{
	json_t *problem = must(json_pack(
		"{s:s,s:{s:o},s:o}", "description", "what went wrong, where, and what to do",
		"headers", "Request-Id", schema_reference("headers", "Request-Id"), "content",
		content(PROBLEM_TYPE, schema_reference("schemas", "problem"))));
	json_t *peer = must(json_pack("{s:s,s:s}", "type", "mutualTLS", "description",
				      "Over the unix socket: the kernel tells who calls. root and "
				      "the supervisor's own user are "
				      "admin, the groups qvm-admin and qvm-operator have their "
				      "role, others are readers."));

	return must(json_pack("{s:o,s:{s:o},s:{s:o},s:{s:o}}", "schemas", schema_all(), "responses",
			      "problem", problem, "headers", "Request-Id",
			      header("id of this request, in every log line about it"),
			      "securitySchemes", "peer", peer));
}

static json_t *tags(void)
{
	static const struct {
		const char *name, *what;
	} known[] = {
		{"healthz", "Is it alive"},
		{"openapi.json", "This document"},
		{"metrics", "Counts for Prometheus"},
		{"host", "The host"},
		{"check", "Configurations"},
		{"vms", "Virtual machines"},
		{"audit", "Who asked for what"},
		{"tokens", "Who may come without a uid of this host"},
		{"events", "What happened"},
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

	schema_set(root, "openapi", schema_text("3.1.0"));
	schema_set(root, "info",
		   json_pack("{s:s,s:s,s:s,s:{s:s,s:s}}", "title", "qvm", "version", QVM_VERSION,
			     "description",
			     "Virtual machines with design safe states: their lifecycle, their "
			     "health, why "
			     "they failed. Errors are problems (RFC 9457).",
			     "license", "name", "Apache-2.0", "identifier", "Apache-2.0"));
	schema_set(root, "servers",
		   json_pack("[{s:s,s:s}]", "url", "http://qvm", "description",
			     "over the unix socket RUN/api.sock"));
	schema_set(root, "security", json_pack("[{s:[]}]", "peer"));
	schema_set(root, "tags", tags());
	schema_set(root, "paths", paths());
	schema_set(root, "components", components());
	out = json_dumps(root, JSON_INDENT(1));
	if (!out)
		abort();
	return out;
}
