/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "has its whole restart budget again", NULL);
}

static const struct command reset_budget_verb = {
	.name = "reset-budget",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_reset_budget,
	.help = "Forgets the restarts that were charged to restart_budget. A VM that is in its "
		"safe "
		"state stays\n"
		"there; start does the same and starts it.\n"
		"\n"
		"  qvmadm reset-budget brake\n"
		"  qvmadm show brake && qvmadm reset-budget brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(reset_budget_verb);
