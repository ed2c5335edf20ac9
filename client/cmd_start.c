/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "started", "running already");
}

static const struct command start = {
	.name = "start",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_start,
	.help = "Starts the VM with the newest revision of its configuration and waits until the "
		"guest has\n"
		"executed its first instruction. A start also ends the latched safe state.\n"
		"\n"
		"  qvmadm start brake\n"
		"  qvmadm start brake --wait 5s || qvmadm incidents brake --last",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(start);
