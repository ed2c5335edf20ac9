/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/source.h"
#include "schemas/policy.h"

static int unknown_field(const char *name, struct err *e)
{
	const char *near = policy_fields[0].name;

	for (unsigned i = 1; i < policy_n_fields; i++)
		if (str_distance(name, policy_fields[i].name) < str_distance(name, near))
			near = policy_fields[i].name;
	return err_set(
		e, USAGE,
		"there is no policy field '%s'; did you mean '%s'? qvmadm help define lists them",
		name, near);
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
static json_t *read_value(const struct policy_field *f, const char *value, char text[static 128],
			  const char **ret_form)
{
	int64_t reaction;

	switch (f->kind) {
	case POLICY_BOOL: *ret_form = "true or false"; return read_bool(value);
	case POLICY_NUMBER:
		*ret_form = "a whole number; a time may have a unit, as in 500ms, 30s or 5m";
		return read_number(f->name, value);
	case POLICY_REACTION:
		*ret_form = reaction_list(text, 128);
		return reaction_from_id(value, &reaction) == 0 ? json_string(value) : NULL;
	case POLICY_NAME: *ret_form = "the name of a VM"; return json_string(value);
	case POLICY_NAMES:
		*ret_form = "names of VMs, separated by commas";
		return read_names(value);
	}
	return NULL;
}

/* KEY=VALUE into the policy object; the ranges are the server's to judge. */
static int add_policy(json_t *policy, const char *given, struct err *e)
{
	const char *equals = strchr(given, '='), *form = "";
	const struct policy_field *f;
	char name[64], text[128];
	json_t *value;

	if (!equals || (size_t)(equals - given) >= sizeof name)
		return err_set(e, USAGE, "--policy '%s' has not the form KEY=VALUE", given);
	snprintf(name, sizeof name, "%.*s", (int)(equals - given), given);
	f = policy_find(name);
	if (!f)
		return unknown_field(name, e);
	value = read_value(f, equals + 1, text, &form);
	if (!value)
		return err_set(e, USAGE, "policy field '%s' cannot be '%s'; it is %s", name,
			       equals + 1, form);
	json_object_set_new(policy, name, value);
	return 0;
}

static int make_body(const struct command_call *c, const struct source *s, char **ret,
		     struct err *e)
{
	AUTO_JSON json_t *body = source_body(s), *policy = json_object();

	for (unsigned i = 0; i < c->n_given; i++)
		if (!strcmp(c->given[i].option->name, "--policy") &&
		    add_policy(policy, c->given[i].value, e) < 0)
			return -1;
	if (json_object_size(policy))
		json_object_set(body, "policy", policy);
	*ret = json_dumps(body, JSON_COMPACT);
	if (!*ret)
		abort();
	return 0;
}

static int tell(const struct http_response *r, const char *vm, const struct source *s, bool as_json)
{
	AUTO_JSON json_t *answer = NULL;
	int64_t revision, running;
	struct err e;

	if (as_json) {
		field_print(r->body, r->body_bytes);
		return 0;
	}
	if (field_parse(r->body, r->body_bytes, &answer, &e) < 0)
		return problem_local(&e, false);
	finding_print(stderr, answer, s); /* warnings */
	revision = field_number(answer, "revision", 0);
	running = field_number(answer, "running_revision", 0);
	printf("%s: %s revision %" PRId64, vm, r->status == 201 ? "defined," : "is now at",
	       revision);
	if (!strcmp(field_text(answer, "observed"), "running") && running != revision)
		printf("; revision %" PRId64 " runs until the next start", running);
	putchar('\n');
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_SOURCE struct source s = {0};
	AUTO_FREE char *body = NULL;
	struct err e;
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (source_read(c->argument[1], &s, &e) < 0 || make_body(c, &s, &body, &e) < 0)
		return problem_local(&e, c->as_json);
	if (http_call(c->http,
		      &(struct http_request){.op = OP_vm_put,
					     .param = vm,
					     .body = body,
					     .body_bytes = strlen(body),
					     .body_type = "application/json",
					     .if_match = command_value(c, "--if-match")},
		      &r, &e) < 0)
		return problem_local(&e, c->as_json);
	if (!http_is_success(&r))
		return problem_answer(&r, &s, c->as_json);
	return tell(&r, vm, &s, c->as_json);
}

static void print_fields(FILE *f)
{
	fputs("\nPolicy fields\n", f);
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *p = &policy_fields[i];
		char def[24];

		snprintf(def, sizeof def, "%" PRId64, p->def);
		if (policy_is_text(p))
			snprintf(def, sizeof def, "none");
		fprintf(f, "  %-22s %s (%s)\n", p->name, p->what,
			p->kind == POLICY_BOOL	     ? (p->def ? "true" : "false")
			: p->kind == POLICY_REACTION ? reaction_id(p->def)
						     : def);
	}
}

static const struct command_option options[] = {
	{"--policy", "-p", "KEY=VALUE", "set one field of the policy; may be repeated"},
	{"--if-match", NULL, "REVISION",
	 "only if that is the present revision; 0: only if it is new"},
	{0},
};

static const struct command define = {
	.name = "define",
	.group = COMMAND_SETUP,
	.arguments = "VM FILE",
	.op = OP_vm_put,
	.help = "Checks FILE (- is standard input) as `qvmadm check` does and keeps it as the VM's "
		"newest\n"
		"revision. Relative paths of load and hostdev belong to the folder of FILE.\n\n"
		"  qvmadm define brake brake.qvmconf\n"
		"  qvmadm define brake brake.qvmconf -p on_failure=restart -p restart_budget=3\n"
		"  qvmadm define brake brake.qvmconf -p stop_timeout_ms=10s --if-match 4",
	.options = options,
	.print_more = print_fields,
	.run = run,
};

COMMAND_REGISTER(define);
