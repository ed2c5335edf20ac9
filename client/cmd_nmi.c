/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "sent", NULL);
}

static const struct command nmi_verb = {
	.name = "nmi",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_nmi,
	.help = "Sends a non-maskable interrupt to the boot vCPU. Linux prints where it is, or "
		"panics "
		"if\n"
		"kernel.unknown_nmi_panic says so: then the policy on_failure may dump it.\n"
		"\n"
		"  qvmadm nmi brake && qvmadm console brake --tail 20\n"
		"  qvmadm nmi brake && qvmadm console brake --tail 20",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(nmi_verb);
