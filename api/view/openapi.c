/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/openapi.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/view/answers.h"
#include "api/view/object.h"
#include "api/http/param.h"
#include "api/view/schema.h"
#include "base/auto.h"
#include "base/dumpfile.h"
#include "base/name.h"
#include "base/str.h"
#include "schemas/op.h"

static json_t *parameter(const char *name, const char *in, bool is_required, const char *what,
			 json_t *take_schema)
{
	return object_must(json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", name, "in", in, "required",
				     is_required, "description", what, "schema", take_schema));
}

static const struct {
	const char *key, *name, *what;
	const char *pattern; /* NULL = a number that counts from 1 */
} in_path[] = {
	{"{vm}", "vm", "name of the VM", "^" NAME_PATTERN "$"},
	{"{n}", "n", "number of the revision", NULL},
	{"{dump}", "dump", "name of the dump's file", "^" DUMPFILE_PATTERN "$"},
	{"{token}", "token", "name of the token", "^" NAME_PATTERN "$"},
	{"{id}", "id", "number of the operation", NULL},
};

static json_t *matching(const char *pattern)
{
	if (!pattern)
		return json_pack("{s:s,s:i}", "type", "integer", "minimum", 1);
	return json_pack("{s:s,s:s}", "type", "string", "pattern", pattern);
}

static json_t *parameters(enum op_id op)
{
	json_t *list = object_list();

	for (size_t i = 0; i < NELEMS(in_path); i++)
		if (strstr(op_table[op].path, in_path[i].key))
			object_append(list,
				      parameter(in_path[i].name, "path", true, in_path[i].what,
						matching(in_path[i].pattern)));
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op;
	     row++) {
		const struct param_row *p = &param_table[row];

		object_append(list, parameter(p->name, p->where == PARAM_QUERY ? "query" : "header",
					      p->def == PARAM_NEEDED, p->what, schema_of_param(p)));
	}
	if (op_table[op].kind == OP_KIND_CALL)
		object_append(
			list,
			parameter("Request-Id", "header", false,
				  "16 hexadecimal digits, by chance, for this request; sent "
				  "again with it, a request is not done again, and is answered "
				  "as the first time; with another body or parameter it "
				  "is refused",
				  matching("^[0-9a-f]{16}$")));
	return list;
}

/* Whoever has the role, however it proves who it is. */
static json_t *security_of(enum role role)
{
	const char *id = role_id(role);

	if (role == ROLE_ANYONE)
		return object_list();
	return object_must(
		json_pack("[{s:[s]},{s:[s]},{s:[s]}]", "peer", id, "certificate", id, "token", id));
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
	json_t *item = object_new(), *body = answers_body(op);

	str_add(what, sizeof what, &n, "Role: %s.", role_id(o->role));
	if (*o->cli)
		str_add(what, sizeof what, &n, " Command: qvmadm %s.", o->cli);
	schema_set(item, "operationId", schema_text(o->id));
	schema_set(item, "summary", schema_text(o->summary));
	schema_set(item, "description", schema_text(what));
	schema_set(item, "tags", json_pack("[o]", tag_of(o)));
	schema_set(item, "x-role", schema_text(role_id(o->role)));
	schema_set(item, "security", security_of(o->role));
	schema_set(item, "parameters", parameters(op));
	if (body)
		schema_set(item, "requestBody",
			   json_pack("{s:b,s:o}", "required", true, "content", body));
	schema_set(item, "responses", answers_of(op));
	return item;
}

static json_t *paths(void)
{
	static const char *const key[OP_METHODS] = {"get", "put", "patch", "post", "delete"};
	json_t *all = object_new();

	for (unsigned i = 0; i < OP_COUNT; i++) {
		const struct op *o = &op_table[i];

		if (!json_object_get(all, o->path))
			schema_set(all, o->path, object_new());
		schema_set(json_object_get(all, o->path), key[o->method], operation((enum op_id)i));
	}
	return all;
}

static json_t *security_schemes(void)
{
	static const char peer[] =
		"Over the unix socket the kernel tells who calls, and nothing is sent for it; of "
		"the "
		"kinds that OpenAPI knows this is the nearest. root and the supervisor's own user "
		"are "
		"admin, the groups qvm-admin and qvm-operator have their role, others are readers.";
	static const char certificate[] =
		"Over TLS, a client certificate whose common name is that of a token made with "
		"certificate = true; it has that token's role and VMs.";
	static const char token[] =
		"The secret of POST /v1/tokens/{token}, on either door; it has that token's role "
		"and VMs, even where the peer alone would have more.";

	return object_must(json_pack("{s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s,s:s}}", "peer", "type",
				     "mutualTLS", "description", peer, "certificate", "type",
				     "mutualTLS", "description", certificate, "token", "type",
				     "http", "scheme", "bearer", "description", token));
}

static json_t *components(void)
{
	return object_must(json_pack("{s:o,s:o,s:o,s:o}", "schemas", schema_all(), "responses",
				     answers_problems(), "headers", answers_headers(),
				     "securitySchemes", security_schemes()));
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
		{"usage", "What VMs take of it"},
		{"check", "Configurations"},
		{"vms", "Virtual machines"},
		{"audit", "Who asked for what"},
		{"tokens", "Who may come without a uid of this host"},
		{"whoami", "Who asks"},
		{"events", "What happened"},
		{"operations", "What goes on"},
	};
	json_t *list = object_list();

	for (size_t i = 0; i < NELEMS(known); i++)
		object_append(list, json_pack("{s:s,s:s}", "name", known[i].name, "description",
					      known[i].what));
	return list;
}

static json_t *info(void)
{
	static const char what[] =
		"Virtual machines with design safe states: their lifecycle, their health, why they "
		"failed. Errors are problems (RFC 9457). Each GET has its HEAD; OPTIONS tells the "
		"methods of a path, and so does the Allow of a 405.";

	return object_must(json_pack("{s:s,s:s,s:s,s:{s:s,s:s}}", "title", "qvm", "version",
				     QVM_VERSION, "description", what, "license", "name",
				     "Apache-2.0", "identifier", "Apache-2.0"));
}

static json_t *servers(void)
{
	return object_must(json_pack(
		"[{s:s,s:s},{s:s,s:s,s:{s:{s:s,s:s}}}]", "url", "http://qvm", "description",
		"over the unix socket RUN/api.sock", "url", "https://{host}", "description",
		"by TLS 1.3, where qvmd.conf opens that door", "variables", "host", "default",
		"localhost:8443", "description", "host and port"));
}

char *openapi_print(void)
{
	AUTO_JSON json_t *root = object_new();
	char *out;

	schema_set(root, "openapi", schema_text("3.1.0"));
	schema_set(root, "info", info());
	schema_set(root, "servers", servers());
	schema_set(root, "tags", tags());
	schema_set(root, "paths", paths());
	schema_set(root, "components", components());
	out = json_dumps(root, JSON_INDENT(1));
	if (!out)
		abort();
	return out;
}
