/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/operation.h"
#include "client/show/problem.h"
#include "client/show/table.h"

enum { MOST = 20 };

static enum term_style style_of(const char *state)
{
	return !strcmp(state, "failed")	   ? TERM_BAD
	       : !strcmp(state, "running") ? TERM_BUSY
					   : TERM_PLAIN;
}

static void how(struct table *t, const json_t *x)
{
	const json_t *error = json_object_get(x, "error");

	if (error)
		table_cell(t, TERM_BAD, "%s", field_text(error, "detail"));
	else
		table_cell(t, TERM_PLAIN, "%s", field_word(x, "phase"));
}

static void print(const struct command_call *c, json_t *list)
{
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	size_t i;
	json_t *x;

	table_column(t, "ID", TABLE_RIGHT, false);
	table_column(t, "WHAT", TABLE_LEFT, false);
	table_column(t, "VM", TABLE_LEFT, true);
	table_column(t, "STATE", TABLE_LEFT, false);
	table_column(t, "STARTED", TABLE_LEFT, false);
	table_spare(t, 1);
	table_column(t, "TOOK", TABLE_RIGHT, false);
	table_spare(t, 2);
	table_column(t, "HOW", TABLE_LEFT, true);
	json_array_foreach (list, i, x) {
		const char *started = field_text(x, "started"), *state = field_text(x, "state");
		int64_t ended = age_parse(field_text(x, "ended"));
		char age[AGE_TEXT], span[AGE_TEXT] = "-", verb[OPERATION_VERB];

		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(x, "id", 0));
		table_cell(t, TERM_PLAIN, "%s", operation_verb(field_text(x, "op"), verb));
		table_cell(t, TERM_BOLD, "%s", field_word(x, "vm"));
		table_cell(t, style_of(state), "%s", state);
		table_cell(t, TERM_DIM, "%s", age_text(started, now_ms, age));
		table_cell(t, TERM_PLAIN, "%s",
			   ended < 0 ? span : age_span(ended - age_parse(started), span));
		how(t, x);
	}
	table_print(t, stdout, 0, command_width(c));
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *list = NULL;
	const char *vm = command_value(c, "--vm");
	char query[128] = "";
	size_t len = 0;
	struct http_request q = {.op = OP_operation_list, .query = query};
	struct err e;
	long most;
	int status;

	if (command_number(c, "-n", 1, 1000, MOST, &most, &e) < 0 ||
	    (vm && command_check_vm(vm, &e) < 0))
		return problem_local(&e, c->as_json);
	str_add(query, sizeof query, &len, "limit=%ld%s%s", most, vm ? "&vm=" : "", vm ? vm : "");
	list = command_read(c, &q, &status);
	if (!list)
		return status;
	if (c->output == OUTPUT_NAME)
		output_names(field_list(list, "operations"), "id");
	else if (json_array_size(field_list(list, "operations")))
		print(c, field_list(list, "operations"));
	else
		fprintf(stderr, "No operation%s%s is kept.\n", vm ? " of " : "", vm ? vm : "");
	return 0;
}

static const struct command_option options[] = {
	{"--vm", NULL, "VM", "only those on VM"},
	{"-n", NULL, "N", "the newest N; without it 20"},
	{0},
};

static const struct command operations = {
	.name = "operations",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_operation_list,
	.summary = "The last operations: what was asked for, how far it is, how it went",
	.forms = OUTPUT_IN(OUTPUT_WIDE) | OUTPUT_IN(OUTPUT_NAME),
	.help = "start, stop, dump and the like are operations, newest first here. `qvmadm wait VM "
		"--for operation`\n"
		"waits for those that are under way.\n\n"
		"  qvmadm operations\n"
		"  qvmadm operations --vm brake -n 5 -o wide\n"
		"  qvmadm operations -o json | jq '.operations[] | select(.state == \"failed\")'",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(operations);
