/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/name.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"
#include "client/show/vm.h"

/* What follows by itself: a restart, or nothing until an operator acts. */
static const char *next_step(const json_t *vm, int64_t now_ms, char ret[static AGE_TEXT])
{
	const char *restart_at = field_text(vm, "restart_at");

	if (age_parse(restart_at) > 0)
		return age_text(restart_at, now_ms, ret);
	return strcmp(field_word(vm, "observed"), "safe") != 0 ? "-" : "release";
}

static bool has_role(const json_t *vm)
{
	return *field_text(vm, "partner") != '\0';
}

/* Columns that are not always there. */
struct form {
	bool is_wide, has_roles;
};

static void add_row(struct table *t, const json_t *vm, struct form form, int64_t now_ms)
{
	static const char *const column[] = {"desired", "observed", "health", "cause"};
	int64_t pid = field_number(vm, "pid", 0);
	char since[AGE_TEXT], next[AGE_TEXT];

	table_cell(t, TERM_BOLD, "%s", field_word(vm, "name"));
	for (size_t i = 0; i < NELEMS(column); i++) {
		const char *word = field_word(vm, column[i]);

		table_cell(t, vm_style(column[i], word), "%s", strcmp(word, "none") ? word : "-");
	}
	if (pid > 0)
		table_cell(t, TERM_PLAIN, "%" PRId64, pid);
	else
		table_cell(t, TERM_DIM, "-");
	table_cell(t, TERM_PLAIN, "%s", age_text(field_text(vm, "since"), now_ms, since));
	table_cell(t, TERM_PLAIN, "%" PRId64, field_number(vm, "restarts", 0));
	table_cell(t, TERM_PLAIN, "%s", next_step(vm, now_ms, next));
	if (form.has_roles)
		table_cell(t, TERM_PLAIN, "%s%s", has_role(vm) ? field_text(vm, "role") : "-",
			   has_role(vm) && field_true(vm, "active") ? ", active" : "");
	if (!form.is_wide)
		return;
	table_cell(t, TERM_PLAIN, "%" PRId64, field_number(vm, "revision", 0));
	table_cell(t, TERM_PLAIN, "%s", field_word(vm, "reason"));
}

static void print_table(const json_t *vms, bool is_wide)
{
	struct form form = {.is_wide = is_wide};
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	const json_t *vm;
	size_t i;

	table_column(t, "NAME", TABLE_LEFT, true);
	table_column(t, "DESIRED", TABLE_LEFT, false);
	table_column(t, "OBSERVED", TABLE_LEFT, false);
	table_column(t, "HEALTH", TABLE_LEFT, false);
	table_column(t, "LAST END", TABLE_LEFT, true);
	table_column(t, "PID", TABLE_RIGHT, false);
	table_column(t, "SINCE", TABLE_LEFT, false);
	table_column(t, "RESTARTS", TABLE_RIGHT, false);
	table_column(t, "NEXT", TABLE_LEFT, false);
	json_array_foreach ((json_t *)vms, i, vm)
		form.has_roles |= has_role(vm);
	if (form.has_roles)
		table_column(t, "ROLE", TABLE_LEFT, false);
	if (is_wide) {
		table_column(t, "REVISION", TABLE_RIGHT, false);
		table_column(t, "REASON", TABLE_LEFT, true);
	}
	json_array_foreach ((json_t *)vms, i, vm)
		add_row(t, vm, form, now_ms);
	table_print(t, stdout, 0, term_width(stdout));
}

static void print_names(const json_t *vms)
{
	const json_t *vm;
	size_t i;

	json_array_foreach ((json_t *)vms, i, vm)
		printf("%s\n", field_text(vm, "name"));
}

/* Page by page into one list. *ret_first is the first answer, which mostly is all of it. */
static int ask_all(struct command_call *c, json_t *vms, struct http_response *ret_first,
		   bool *ret_is_one, int *ret_status)
{
	char query[32 + NAME_CAP] = "limit=10000", after[NAME_CAP] = "";

	*ret_is_one = true;
	for (;;) {
		AUTO_RESPONSE struct http_response r = {0};
		AUTO_JSON json_t *page = NULL;
		struct err e;

		if (command_ask(c, &(struct http_request){.op = OP_vm_list, .query = query}, &r,
				ret_status) < 0)
			return -1;
		if (field_parse(r.body, r.body_bytes, &page, &e) < 0) {
			*ret_status = problem_local(&e, c->as_json);
			return -1;
		}
		json_array_extend(vms, field_list(page, "vms"));
		if (!ret_first->body) {
			*ret_first = r;
			r = (struct http_response){0};
		}
		/* Names come in order: one that does not go on is no next page. */
		if (!name_is_valid(field_text(page, "next")) ||
		    strcmp(field_text(page, "next"), after) <= 0)
			return 0;
		*ret_is_one = false;
		str_copy(after, sizeof after, field_text(page, "next"));
		snprintf(query, sizeof query, "limit=10000&after=%s", after);
	}
}

static void print_json(const json_t *vms, const struct http_response *first, bool is_one)
{
	AUTO_JSON json_t *all = NULL;
	AUTO_FREE char *text = NULL;

	if (is_one) {
		field_print(first->body, first->body_bytes);
		return;
	}
	all = json_pack("{s:O}", "vms", vms);
	text = json_dumps(all, JSON_COMPACT);
	if (!text)
		abort();
	field_print(text, strlen(text));
}

/* Above the table, since it concerns every row of it. */
static void print_host(const struct http_response *first)
{
	AUTO_JSON json_t *page = NULL;
	struct err unused;

	if (field_parse(first->body, first->body_bytes, &page, &unused) < 0 ||
	    !*field_text(page, "host"))
		return;
	printf("%sThe host is in its safe state: %s.%s No VM is started; qvmadm host tells "
	       "more.\n\n",
	       term_on(stdout, TERM_BAD), field_text(page, "host"), term_off(stdout, TERM_BAD));
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response first = {0};
	AUTO_JSON json_t *vms = json_array();
	const char *form = command_value(c, "--output");
	struct err e;
	bool is_one;
	int status;

	if (form && strcmp(form, "wide") && strcmp(form, "json") && strcmp(form, "name")) {
		err_set(&e, USAGE, "there is no output form '%s'; it is wide, json or name", form);
		return problem_local(&e, c->as_json);
	}
	c->as_json |= form && !strcmp(form, "json");
	if (ask_all(c, vms, &first, &is_one, &status) < 0)
		return status;
	if (c->as_json) {
		print_json(vms, &first, is_one);
		return 0;
	}
	if (form && !strcmp(form, "name")) {
		print_names(vms);
		return 0;
	}
	print_host(&first);
	if (json_array_size(vms) == 0)
		fprintf(stderr,
			"No VM is defined yet. Define one: qvmadm define NAME FILE.qvmconf\n");
	else
		print_table(vms, form != NULL);
	return 0;
}

static const struct command_option options[] = {
	{"--output", "-o", "FORM", "wide (more columns), name (one a line) or json"},
	{0},
};

static const struct command list = {
	.name = "list",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_vm_list,
	.help = "Three columns tell a VM's state: DESIRED is what was asked for, OBSERVED what is, "
		"HEALTH\n"
		"how well. CAUSE is why it last ended. SINCE is the age of OBSERVED.\n\n"
		"  qvmadm list\n"
		"  qvmadm list -o wide\n"
		"  for vm in $(qvmadm list -o name); do qvmadm stop \"$vm\"; done",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(list);
