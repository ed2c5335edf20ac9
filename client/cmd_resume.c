/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "goes on", "running already");
}

static const struct command resume_verb = {
	.name = "resume",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_resume,
	.help = "Lets a paused VM go on as if nothing had been; start does the same.\n"
		"\n"
		"  qvmadm resume brake\n"
		"  qvmadm pause brake && qvmadm status brake && qvmadm resume brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(resume_verb);
