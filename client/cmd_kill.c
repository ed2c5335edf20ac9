/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "killed", "not running; no restart will follow");
}

static const struct command kill = {
	.name = "kill",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_kill,
	.help = "Ends the worker process at once; the guest is not told and its unwritten data are "
		"lost. Use stop\n"
		"first; this is for a guest that does not listen.\n"
		"\n"
		"  qvmadm kill brake\n"
		"  qvmadm kill brake && qvmadm incidents brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(kill);
