/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/show/vm.h"

/* The revision before the newest, and the newest for If-Match: nobody's change is undone unseen. */
static int find_last(struct command_call *c, const char *vm, int64_t *ret_to,
		     char match[static HTTP_MATCH], int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *answer = NULL;
	const json_t *list;
	struct err e;

	if (command_ask(
		    c,
		    &(struct http_request){.op = OP_vm_revisions, .param = vm, .query = "limit=2"},
		    &r, ret_status) < 0)
		return -1;
	if (field_parse(r.body, r.body_bytes, &answer, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	list = field_list(answer, "revisions");
	if (json_array_size(list) < 2) {
		err_set(&e, NOT_FOUND, "'%s' has one revision only: there is none to go back to",
			vm);
		err_advise(&e, "qvmadm define and qvmadm set make another");
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	http_match(field_number(json_array_get(list, 0), "revision", 0), match);
	*ret_to = field_number(json_array_get(list, 1), "revision", 0);
	return 0;
}

static int tell(const struct http_response *r, int64_t to)
{
	AUTO_JSON json_t *vm = NULL;
	struct err e;

	if (field_parse(r->body, r->body_bytes, &vm, &e) < 0)
		return problem_local(&e, false);
	finding_print(stderr, vm, NULL);
	printf("%s: revision %" PRId64 " is now what revision %" PRId64 " was\n",
	       field_text(vm, "name"), field_number(vm, "revision", 0), to);
	vm_print_pending(vm);
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	const char *given = c->argument[1], *asked = command_value(c, "--if-match");
	char match[HTTP_MATCH] = "", query[40];
	struct err e;
	int64_t to = 0;
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (!given && find_last(c, vm, &to, match, &status) < 0)
		return status;
	if (given && (sscanf(given, "%" SCNd64, &to) != 1 || to < 1 ||
		      strspn(given, "0123456789") != strlen(given))) {
		err_set(&e, USAGE,
			"'%s' is no number of a revision; `qvmadm revisions %s` lists them", given,
			vm);
		return problem_local(&e, c->as_json);
	}
	snprintf(query, sizeof query, "to=%" PRId64, to);
	if (command_ask(c,
			&(struct http_request){.op = OP_vm_rollback,
					       .param = vm,
					       .query = query,
					       .if_match = asked    ? asked
							   : *match ? match
								    : NULL},
			&r, &status) < 0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	return tell(&r, to);
}

static const struct command_option options[] = {
	{"--if-match", NULL, "REVISION", "only if that is the present revision"},
	{0},
};

static const struct command rollback = {
	.name = "rollback",
	.group = COMMAND_SETUP,
	.arguments = "VM [REVISION]",
	.op = OP_vm_rollback,
	.summary = "Make an earlier revision the newest again",
	.help = "Configuration and policy of REVISION, by default the one before the newest, are "
		"checked as they are\n"
		"today and become a new revision. Said twice without a number it leads back and "
		"forth.\n\n"
		"  qvmadm revisions brake\n"
		"  qvmadm diff brake --revision 3\n"
		"  qvmadm rollback brake 3",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(rollback);
