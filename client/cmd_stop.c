/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "stopped", "not running; no restart will follow");
}

static const struct command stop = {
	.name = "stop",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_stop,
	.help = "Presses the power button and waits until the guest has switched itself off; one "
		"that does not\n"
		"within the policy's stop_timeout_ms is ended by force. An automatic restart that "
		"is due is called off.\n"
		"\n"
		"  qvmadm stop brake\n"
		"  qvmadm stop brake --no-wait",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(stop);
