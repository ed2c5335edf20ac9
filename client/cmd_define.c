/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/show/vm.h"
#include "client/setting.h"
#include "client/source.h"
#include "client/version.h"

static int make_body(const struct command_call *c, const struct source *s, char **ret,
		     struct err *e)
{
	AUTO_JSON json_t *body = source_body(s), *policy = json_object();

	for (unsigned i = 0; i < c->n_given; i++)
		if (!strcmp(c->given[i].option->name, "--policy") &&
		    setting_take(policy, c->given[i].value, e) < 0)
			return -1;
	setting_drop_nulls(policy);
	if (c->n_given && command_value(c, "--policy"))
		json_object_set(body, "policy", policy);
	*ret = json_dumps(body, JSON_COMPACT);
	if (!*ret)
		abort();
	return 0;
}

/* before: its revision before that, 0 = there was none. */
static int tell(const struct http_response *r, const char *vm, const struct source *s,
		int64_t before, bool as_json)
{
	AUTO_JSON json_t *answer = NULL;
	int64_t revision;
	struct err e;

	if (as_json) {
		field_print(r->body, r->body_bytes);
		return 0;
	}
	if (field_parse(r->body, r->body_bytes, &answer, &e) < 0)
		return problem_local(&e, false);
	finding_print(stderr, answer, s); /* warnings */
	revision = field_number(answer, "revision", 0);
	if (r->status == 201)
		printf("%s: defined, revision %" PRId64 "\n", vm, revision);
	else
		vm_print_revision(vm, revision, revision != before);
	vm_print_pending(answer);
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_VERSION struct version before = {0};
	AUTO_SOURCE struct source s = {0};
	AUTO_FREE char *body = NULL;
	struct err e;
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (source_read(c->argument[1], &s, &e) < 0 || make_body(c, &s, &body, &e) < 0)
		return problem_local(&e, c->as_json);
	if (!c->as_json && version_find(c, vm, &before, &status) < 0)
		return status;
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
	return tell(&r, vm, &s, before.revision, c->as_json);
}

static const struct command_option options[] = {
	{"--policy", "-p", "FIELD=VALUE",
	 "one field of a policy that replaces the present one; may be repeated"},
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
		"revision. Relative paths of load and hostdev belong to the folder of FILE. "
		"Without -p the "
		"policy stays as it\n"
		"is; `qvmadm set` changes single fields.\n\n"
		"  qvmadm define brake brake.qvmconf\n"
		"  qvmadm define brake brake.qvmconf -p on_failure=restart -p restart_budget=3\n"
		"  qvmadm define brake brake.qvmconf -p stop_timeout_ms=10s --if-match 4",
	.options = options,
	.print_more = setting_print_fields,
	.run = run,
};

COMMAND_REGISTER(define);
