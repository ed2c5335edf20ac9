/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/operation.h"
#include "client/show/problem.h"
#include "client/show/table.h"

enum { MOST = 50 };

static int make_query(const struct command_call *c, char *ret, size_t cap, struct err *e)
{
	const char *vm = command_value(c, "--vm");
	size_t len = 0;
	long most;

	if (command_number(c, "-n", 1, 1000, MOST, &most, e) < 0)
		return -1;
	str_add(ret, cap, &len, "limit=%ld", most);
	if (!vm)
		return 0;
	str_add(ret, cap, &len, "&vm=%s", vm);
	return command_check_vm(vm, e);
}

static void who(struct table *t, const json_t *x)
{
	const char *identity = field_text(x, "identity");

	if (*identity)
		table_cell(t, TERM_PLAIN, "%s", identity);
	else
		table_cell(t, TERM_PLAIN, "uid %" PRId64 " (pid %" PRId64 ")",
			   field_number(x, "uid", 0), field_number(x, "pid", 0));
}

static void outcome(struct table *t, const json_t *x)
{
	const json_t *error = json_object_get(x, "error");
	int64_t operation = field_number(x, "operation", 0);

	if (error)
		table_cell(t, TERM_BAD, "%s", field_text(error, "detail"));
	else if (operation)
		table_cell(t, TERM_PLAIN, "operation %" PRId64, operation);
	else if (field_number(x, "revision", 0))
		table_cell(t, TERM_PLAIN, "revision %" PRId64, field_number(x, "revision", 0));
	else
		table_cell(t, TERM_PLAIN, "done");
}

static void print_entries(const struct command_call *c, json_t *list)
{
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	size_t i;
	json_t *x;

	table_column(t, "WHEN", TABLE_LEFT, false);
	table_spare(t, 1);
	table_column(t, "WHO", TABLE_LEFT, true);
	table_column(t, "ROLE", TABLE_LEFT, false);
	table_spare(t, 2);
	table_column(t, "VM", TABLE_LEFT, true);
	table_column(t, "WHAT", TABLE_LEFT, false);
	table_column(t, "REQUEST", TABLE_LEFT, false);
	table_spare(t, 3);
	table_column(t, "OUTCOME", TABLE_LEFT, true);
	json_array_foreach (list, i, x) {
		char age[AGE_TEXT], verb[OPERATION_VERB];

		table_cell(t, TERM_DIM, "%s", age_text(field_text(x, "at"), now_ms, age));
		who(t, x);
		table_cell(t, TERM_PLAIN, "%s", field_word(x, "role"));
		table_cell(t, TERM_BOLD, "%s", field_word(x, "vm"));
		table_cell(t, TERM_PLAIN, "%s", operation_verb(field_text(x, "op"), verb));
		table_cell(t, TERM_DIM, "%s", field_text(x, "request"));
		outcome(t, x);
	}
	table_print(t, stdout, 0, command_width(c));
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *list = NULL;
	char query[128] = "";
	struct http_request q = {.op = OP_audit_list, .query = query};
	struct err e;
	int status;

	if (make_query(c, query, sizeof query, &e) < 0)
		return problem_local(&e, c->as_json);
	list = command_read(c, &q, &status);
	if (!list)
		return status;
	if (json_array_size(field_list(list, "entries")) == 0)
		fprintf(stderr, "Nobody has asked for anything yet.\n");
	else
		print_entries(c, field_list(list, "entries"));
	return 0;
}

static const struct command_option options[] = {
	{"--vm", NULL, "VM", "only what was asked about VM"},
	{"-n", NULL, "N", "the newest N; without it 50"},
	{0},
};

static const struct command audit = {
	.name = "audit",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_audit_list,
	.forms = OUTPUT_IN(OUTPUT_WIDE),
	.help = "Every request that may change something, refused ones too, newest first: who "
		"asked, "
		"by which\n"
		"right, with which request id, and what became of it. journalctl "
		"QVM_REQUEST=<request> "
		"shows\n"
		"what every process said about it. -o json has the ids of the operations of the "
		"API.\n\n"
		"  qvmadm audit\n"
		"  qvmadm audit --vm brake -n 200\n"
		"  qvmadm --json audit | jq '.entries[] | select(.error)'",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(audit);
