/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"

enum { WHAT = 512, BY = 96 };

/* "policy: hook, restart_budget", "config" ... */
static void describe(const json_t *revision, char *ret, size_t cap)
{
	json_t *changes = field_list(revision, "changes"), *name;
	int64_t restores = field_number(revision, "restores", 0);
	size_t n = 0, i;

	ret[0] = '\0';
	if (restores)
		str_add(ret, cap, &n, "revision %" PRId64 " again", restores);
	json_array_foreach (changes, i, name)
		str_add(ret, cap, &n, "%s%s",
			i	   ? ", "
			: restores ? ": "
				   : "",
			json_string_value(name));
	if (!*ret)
		str_add(ret, cap, &n, "%s",
			field_number(revision, "revision", 0) == 1 ? "defined" : "-");
}

static const char *maker(const json_t *revision, char *ret, size_t cap)
{
	int64_t uid = field_number(revision, "uid", -1);
	const struct passwd *p = uid >= 0 ? getpwuid((uid_t)uid) : NULL;

	if (*field_text(revision, "identity"))
		snprintf(ret, cap, "%s", field_text(revision, "identity"));
	else if (p)
		snprintf(ret, cap, "%s", p->pw_name);
	else
		snprintf(ret, cap, "uid %" PRId64, uid);
	return ret;
}

static void print(const json_t *list, int64_t running, bool runs)
{
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	char age[AGE_TEXT], what[WHAT], by[BY];
	json_t *r;
	size_t i;

	table_column(t, "REVISION", TABLE_RIGHT, false);
	table_column(t, "SINCE", TABLE_LEFT, false);
	table_column(t, "BY", TABLE_LEFT, false);
	table_column(t, "", TABLE_LEFT, false);
	table_column(t, "CHANGES", TABLE_LEFT, true);
	json_array_foreach (field_list(list, "revisions"), i, r) {
		int64_t n = field_number(r, "revision", 0);
		bool is_running = n == running && runs;

		describe(r, what, sizeof what);
		table_cell(t, i ? TERM_PLAIN : TERM_BOLD, "%" PRId64, n);
		table_cell(t, TERM_PLAIN, "%s", age_text(field_text(r, "created"), now_ms, age));
		table_cell(t, TERM_PLAIN, "%s", maker(r, by, sizeof by));
		table_cell(t, is_running ? TERM_GOOD : TERM_DIM, "%s",
			   is_running ? "runs"
			   : i	      ? ""
				      : "newest");
		table_cell(t, TERM_PLAIN, "%s", what);
	}
	table_print(t, stdout, 0, term_width(stdout));
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *list = NULL, *vm = NULL;
	AUTO_RESPONSE struct http_response r = {0};
	struct err e;
	int status;
	const char *name = command_vm(c, &status);

	if (!name)
		return status;
	list = command_read(c, &(struct http_request){.op = OP_vm_revisions, .param = name},
			    &status);
	if (!list)
		return status;
	if (command_ask(c, &(struct http_request){.op = OP_vm_show, .param = name}, &r, &status) <
	    0)
		return status;
	if (field_parse(r.body, r.body_bytes, &vm, &e) < 0)
		return problem_local(&e, false);
	print(list, field_number(vm, "running_revision", 0), field_number(vm, "pid", 0) > 0);
	return 0;
}

static const struct command revisions = {
	.name = "revisions",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_revisions,
	.help = "Each change of configuration or policy is one. The newest 64 are kept, and the "
		"one "
		"that runs.\n\n"
		"  qvmadm revisions brake\n"
		"  qvmadm diff brake --revision 3        # what has changed since\n"
		"  qvmadm rollback brake 3",
	.run = run,
};

COMMAND_REGISTER(revisions);
