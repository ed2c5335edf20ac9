/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "paused", "paused already");
}

static const struct command pause_verb = {
	.name = "pause",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_pause,
	.help = "Lets every vCPU of the VM finish its instruction and stand, and waits until the "
		"last "
		"one does.\n"
		"Its worker goes on beating, its watchdogs wait, status, map and dump work. A stop "
		"of a "
		"paused VM\n"
		"lets it go on to hear its power button; one that is restarted by its policy "
		"stands "
		"before its\n"
		"first instruction.\n"
		"\n"
		"  qvmadm pause brake\n"
		"  qvmadm dump brake && qvmadm resume brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(pause_verb);
