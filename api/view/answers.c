/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/answers.h"

#include <stdio.h>
#include <string.h>

#include "api/http/param.h"
#include "api/http/problem.h"
#include "api/view/object.h"
#include "api/view/schema.h"
#include "base/auto.h"
#include "schemas/resource.h"

enum { STATUS_DIGITS = 12, PROBLEM_NAME = 24, EXAMPLE_ID = 0x00c0ffee };

static const struct {
	enum op_id op;
	int status;
	const char *what;
} answers[] = {
#define ANSWER(op, status, what) {OP_##op, status, what},
#include "schemas/answers.def"
};

static const struct {
	enum op_id op;
	int status;
	const char *name, *what;
} headers[] = {
#define HEADER(op, status, name, what) {OP_##op, status, name, what},
#include "schemas/answers.def"
};

static const struct {
	enum op_id op;
	const char *type;
} media[] = {
#define MEDIA(op, type) {OP_##op, type},
#include "schemas/answers.def"
};

static const struct {
	int status;
	enum err_code error;
	const char *title, *example;
} problems[] = {
#define PROBLEM(status, title, error, example) {status, ERR_##error, title, example},
#include "schemas/answers.def"
};

static const struct {
	enum resource resource;
	const char *json;
} examples[] = {
#define EXAMPLE(resource, json) {RESOURCE_##resource, json},
#include "schemas/answers.def"
};

/* Headers of problems, whatever the operation. */
static const struct {
	int status;
	const char *name, *what;
} problem_headers[] = {
	{401, "WWW-Authenticate", "what would say who asks: Bearer"},
	{429, "Retry-After", "seconds to wait before asking again"},
	{503, "Retry-After", "seconds to wait before asking again"},
};

static json_t *header(const char *what)
{
	return object_must(
		json_pack("{s:s,s:{s:s}}", "description", what, "schema", "type", "string"));
}

static json_t *headers_of(enum op_id op, int status)
{
	json_t *o = object_new();

	schema_set(o, "Request-Id", schema_reference("headers", "Request-Id"));
	for (size_t i = 0; i < NELEMS(headers); i++)
		if (headers[i].op == op && (!headers[i].status || headers[i].status == status))
			schema_set(o, headers[i].name, header(headers[i].what));
	/* One that is done by the time of its answer has one, too. */
	if (!strcmp(op_table[op].out, "operation") && op_table[op].method == OP_POST)
		schema_set(o, "Location", header("the path of the operation"));
	return o;
}

static void add_media(json_t *content, const char *type, json_t *take_schema)
{
	schema_set(content, type, json_pack("{s:o}", "schema", take_schema));
}

static json_t *schema_of_out(const char *out)
{
	if (!strcmp(out, "file"))
		return object_new(); /* any bytes */
	if (!strcmp(out, "text"))
		return schema_type("string");
	return strcmp(out, "document") ? schema_reference("schemas", out) : schema_type("object");
}

static json_t *content_of(enum op_id op)
{
	const char *out = op_table[op].out;
	json_t *content = object_new();

	for (size_t i = 0; i < NELEMS(media); i++)
		if (media[i].op == op)
			add_media(content, media[i].type, schema_of_out(out));
	if (json_object_size(content) == 0)
		add_media(content, strcmp(out, "text") ? "application/json" : "text/plain",
			  schema_of_out(out));
	return content;
}

static json_t *success(enum op_id op, int status, const char *what)
{
	json_t *o =
		object_must(json_pack("{s:s,s:o}", "description",
				      what ? what : resource_what(resource_find(op_table[op].out)),
				      "headers", headers_of(op, status)));

	if (strcmp(op_table[op].out, "none") != 0 && status != 304)
		schema_set(o, "content", content_of(op));
	return o;
}

static bool accepts_wait(enum op_id op)
{
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op; row++)
		if (param_table[row].kind == PARAM_SPAN)
			return true;
	return false;
}

static void problem_name(int status, char ret[static PROBLEM_NAME])
{
	snprintf(ret, PROBLEM_NAME, "problem-%d", status);
}

static void add(json_t *list, int status, json_t *take_answer)
{
	char digits[STATUS_DIGITS];

	snprintf(digits, sizeof digits, "%d", status);
	schema_set(list, digits, take_answer);
}

static void add_problem(json_t *list, int status)
{
	char name[PROBLEM_NAME];

	problem_name(status, name);
	add(list, status, schema_reference("responses", name));
}

static bool creates(enum op_id op)
{
	bool is_created = op_table[op].status == 201;

	for (size_t i = 0; i < NELEMS(answers); i++)
		is_created |= answers[i].op == op && answers[i].status == 201;
	return is_created;
}

/* What follows from the row: who may ask, for what, with which body, and who answers. */
static void add_problems(json_t *list, enum op_id op)
{
	const struct op *o = &op_table[op];
	bool is_call = o->kind == OP_KIND_CALL, has_name = strchr(o->path, '{') != NULL;
	bool has_body = strcmp(o->in, "none") != 0;
	bool has_config = resource_has(resource_find(o->in), "config");
	const struct {
		int status;
		bool is_possible;
	} rule[] = {
		{400, true},
		{401, true},		      /* whoever shows a token shows one that is */
		{403, o->role > ROLE_ANYONE}, /* or a page of another site asks */
		{404, has_name && !creates(op)},
		{409, is_call && has_name},
		{413, has_body},
		{415, has_body},
		{422, has_config && op != OP_check}, /* a check answers with its findings */
		{429, true},
		{502, has_config}, /* the worker that checks it may be lost */
		{503, true},
		{504, is_call},
	};

	for (size_t i = 0; i < NELEMS(rule); i++)
		if (rule[i].is_possible)
			add_problem(list, rule[i].status);
}

json_t *answers_of(enum op_id op)
{
	json_t *list = object_new();
	int status = op_table[op].status;

	add(list, status, success(op, status, NULL));
	if (accepts_wait(op) && status != 200)
		add(list, 200, success(op, 200, "It has ended: see its state"));
	add_problems(list, op);
	for (size_t i = 0; i < NELEMS(answers); i++) {
		if (answers[i].op != op)
			continue;
		if (answers[i].status >= 400)
			add_problem(list, answers[i].status);
		else
			add(list, answers[i].status,
			    success(op, answers[i].status, answers[i].what));
	}
	if (op == OP_health) /* it tells of itself what is away */
		add(list, 503, success(op, 503, NULL));
	schema_set(list, "default", schema_reference("responses", "problem"));
	return list;
}

static void put_example(json_t *content, enum resource r)
{
	for (size_t i = 0; i < NELEMS(examples); i++)
		if (examples[i].resource == r)
			schema_set(content, "example", json_loads(examples[i].json, 0, NULL));
}

json_t *answers_body(enum op_id op)
{
	const char *in = op_table[op].in;
	json_t *content;

	if (!strcmp(in, "none"))
		return NULL;
	content = object_new();
	if (!strcmp(in, "text")) {
		add_media(content, "text/plain", schema_type("string"));
		add_media(content, "application/octet-stream", schema_type("string"));
		return content;
	}
	add_media(content, "application/json", schema_reference("schemas", in));
	put_example(json_object_get(content, "application/json"), resource_find(in));
	if (op_table[op].method == OP_PATCH)
		add_media(content, "application/merge-patch+json", schema_reference("schemas", in));
	if (resource_has(resource_find(in), "config")) {
		json_t *text = schema_type("string");

		schema_set(text, "description", schema_text("qvmconf text alone"));
		add_media(content, "text/plain", text);
	}
	return content;
}

/* The errors that end in this status. */
static json_t *types_of(int status)
{
	json_t *list = object_list();
	char urn[64];

	for (unsigned c = 1; c < ERR_COUNT; c++) {
		if (err_http((enum err_code)c) != status)
			continue;
		snprintf(urn, sizeof urn, "urn:qvm:error:%s", err_id((enum err_code)c));
		object_append(list, schema_text(urn));
	}
	return list;
}

static json_t *problem_response(const char *title, json_t *take_schema)
{
	return object_must(json_pack("{s:s,s:{s:o},s:{s:{s:o}}}", "description", title, "headers",
				     "Request-Id", schema_reference("headers", "Request-Id"),
				     "content", PROBLEM_TYPE, "schema", take_schema));
}

/* A problem whose type is one of this status's. */
static json_t *problem_of(size_t i)
{
	int status = problems[i].status;
	json_t *narrowed = object_must(
		json_pack("{s:[o,{s:{s:{s:o},s:{s:s},s:{s:i}}}]}", "allOf",
			  schema_reference("schemas", "problem"), "properties", "type", "enum",
			  types_of(status), "title", "type", "string", "status", "const", status));
	json_t *o = problem_response(problems[i].title, narrowed);
	struct err e = {.code = problems[i].error};

	snprintf(e.msg, sizeof e.msg, "%s", problems[i].example);
	schema_set(json_object_get(json_object_get(o, "content"), PROBLEM_TYPE), "example",
		   problem_make(&e, EXAMPLE_ID, NULL));
	for (size_t h = 0; h < NELEMS(problem_headers); h++)
		if (problem_headers[h].status == status)
			schema_set(json_object_get(o, "headers"), problem_headers[h].name,
				   header(problem_headers[h].what));
	return o;
}

json_t *answers_problems(void)
{
	json_t *all = object_new();
	char name[PROBLEM_NAME];

	schema_set(all, "problem",
		   problem_response("Any other problem: its status and type say which",
				    schema_reference("schemas", "problem")));
	for (size_t i = 0; i < NELEMS(problems); i++) {
		problem_name(problems[i].status, name);
		schema_set(all, name, problem_of(i));
	}
	return all;
}

json_t *answers_headers(void)
{
	return object_must(json_pack("{s:{s:s,s:{s:s,s:s}}}", "Request-Id", "description",
				     "id of this request, in every log line about it", "schema",
				     "type", "string", "pattern", "^[0-9a-f]{16}$"));
}
