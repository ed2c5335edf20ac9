/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client/command.h"
#include "client/show/problem.h"

/* Who looks for it shall find why there is none, not the verb that is spelt most like it. */
static int run(struct command_call *c)
{
	struct err e;
	const char *old = c->argument[0], *new = c->argument[1];

	if (command_check_vm(old, &e) < 0 || command_check_vm(new, &e) < 0)
		return problem_local(&e, c->as_json);
	err_set(&e, CONFLICT,
		"'%s' keeps its name: journal, incidents, dumps, tokens and hooks know it by that. "
		"Make '%s' beside it, then let '%s' go",
		old, new, old);
	err_advise(&e, "qvmadm rename --help has the steps");
	return problem_local(&e, c->as_json);
}

static const struct command rename_command = {
	.name = "rename",
	.group = COMMAND_SETUP,
	.arguments = "VM NAME",
	.op = OP_vm_put,
	.summary = "Refused, as a VM keeps its name; says what to do instead",
	.help = "Journal, incidents, dumps, tokens and hooks know a VM by its name, so another "
		"name is "
		"another VM:\n\n"
		"  qvmadm --json show old | jq -r .config > new.qvmconf\n"
		"  qvmadm define new new.qvmconf\n"
		"  qvmadm stop old && qvmadm start new\n"
		"  qvmadm delete old",
	.run = run,
};

COMMAND_REGISTER(rename_command);
