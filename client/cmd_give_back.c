/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "given back", NULL);
}

static const struct command give_back = {
	.name = "give-back",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_give_back,
	.help = "Ends the standby that has taken over from VM and, when its worker has gone, "
		"starts VM "
		"itself again.\n"
		"\n"
		"  qvmadm incidents brake --last\n"
		"  qvmadm give-back brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(give_back);
