/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "released", "not in its safe state; no restart will follow");
}

static const struct command release = {
	.name = "release",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_release,
	.help = "Leaves the latched design safe state: the VM is then stopped, its incident stays "
		"on record. Use it\n"
		"when the cause is understood and the VM shall not run; start leaves the safe "
		"state as well.\n"
		"\n"
		"  qvmadm incidents brake --last\n"
		"  qvmadm release brake",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(release);
