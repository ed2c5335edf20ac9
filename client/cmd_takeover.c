/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "taken over", NULL);
}

static const struct command takeover = {
	.name = "takeover",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_takeover,
	.help = "Ends VM as a stop does and, when its worker has gone, starts the standby that its "
		"policy names. From "
		"then\n"
		"on that one is the active one of the two: VM is not started until a give-back, "
		"by nobody.\n"
		"\n"
		"  qvmadm define brake brake.qvmconf -p standby=brake-b -p on_failure=standby\n"
		"  qvmadm takeover brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(takeover);
