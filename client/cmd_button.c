/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "pressed", NULL);
}

static const struct command button_verb = {
	.name = "button",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_button,
	.help = "Presses the power button and leaves the rest to the guest: one that switches "
		"itself "
		"off has done\n"
		"so of its own accord, and its policy on_poweroff follows. To end a VM use stop.\n"
		"\n"
		"  qvmadm button brake\n"
		"  qvmadm button brake && qvmadm wait brake --for state=stopped --timeout 30s",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(button_verb);
