/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/setting.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"
#include "client/show/vm.h"
#include "schemas/policy.h"

static char *make_body(const struct command_call *c, struct err *e)
{
	AUTO_JSON json_t *policy = json_object(), *body = json_pack("{s:O}", "policy", policy);
	char *text;

	for (unsigned i = 1; i < COMMAND_ARGUMENTS && c->argument[i]; i++)
		if (setting_take(policy, c->argument[i], e) < 0)
			return NULL;
	text = json_dumps(body, JSON_COMPACT);
	if (!text)
		abort();
	return text;
}

static bool waits(const json_t *vm, const char *field)
{
	json_t *name;
	size_t i;

	json_array_foreach (field_list(vm, "pending"), i, name)
		if (json_is_string(name) && !strcmp(json_string_value(name), field))
			return true;
	return false;
}

static const char *shown(const json_t *policy, const char *field, char *ret, size_t cap)
{
	setting_value(json_object_get(policy, field), ret, cap);
	return *ret ? ret : "none";
}

/* What has changed, and from when on. */
static void tell(const json_t *before, const json_t *vm)
{
	const json_t *old = json_object_get(before, "policy"), *new = json_object_get(vm, "policy");
	AUTO_TABLE struct table *t = table_new();
	bool runs = field_number(vm, "pid", 0) > 0;
	char was[POLICY_TEXT], is[POLICY_TEXT];
	unsigned n = 0;

	table_column(t, "FIELD", TABLE_LEFT, false);
	table_column(t, "WAS", TABLE_RIGHT, true);
	table_column(t, "IS", TABLE_RIGHT, true);
	table_column(t, "FROM", TABLE_LEFT, false);
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const char *field = policy_fields[i].name;

		if (json_equal(json_object_get(old, field), json_object_get(new, field)))
			continue;
		n++;
		table_cell(t, TERM_BOLD, "%s", field);
		table_cell(t, TERM_DIM, "%s", shown(old, field, was, sizeof was));
		table_cell(t, TERM_PLAIN, "%s", shown(new, field, is, sizeof is));
		table_cell(t, waits(vm, field) ? TERM_BUSY : TERM_GOOD, "%s",
			   waits(vm, field) || !runs ? "its next start" : "now on");
	}
	vm_print_revision(field_text(vm, "name"), field_number(vm, "revision", 0), n != 0);
	if (n)
		table_print(t, stdout, 2, term_width(stdout));
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response old = {0}, r = {0};
	AUTO_JSON json_t *before = NULL, *vm = NULL;
	AUTO_FREE char *body = NULL;
	struct err e;
	int status;
	const char *name = command_vm(c, &status);

	if (!name)
		return status;
	body = make_body(c, &e);
	if (!body)
		return problem_local(&e, c->as_json);
	if (command_ask(c, &(struct http_request){.op = OP_vm_show, .param = name}, &old, &status) <
		    0 ||
	    command_ask(c,
			&(struct http_request){.op = OP_vm_patch,
					       .param = name,
					       .body = body,
					       .body_bytes = strlen(body),
					       .body_type = "application/merge-patch+json",
					       .if_match = command_value(c, "--if-match")},
			&r, &status) < 0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(old.body, old.body_bytes, &before, &e) < 0 ||
	    field_parse(r.body, r.body_bytes, &vm, &e) < 0)
		return problem_local(&e, false);
	tell(before, vm);
	return 0;
}

static const struct command_option options[] = {
	{"--if-match", NULL, "REVISION", "only if that is the present revision"},
	{0},
};

static const struct command set = {
	.name = "set",
	.group = COMMAND_SETUP,
	.arguments = "VM FIELD=VALUE...",
	.op = OP_vm_patch,
	.summary = "Change fields of a VM's policy; the others stay",
	.help = "FIELD= gives a field its default. What a running VM learns at its next start "
		"alone, "
		"the answer tells;\n"
		"all else holds from now on. Times may have a unit.\n\n"
		"  qvmadm set brake restart_budget=3 stop_timeout_ms=10s\n"
		"  qvmadm set brake after=db,log on_failure=standby standby=brake-b\n"
		"  qvmadm set brake hook=",
	.options = options,
	.print_more = setting_print_fields,
	.run = run,
};

COMMAND_REGISTER(set);
