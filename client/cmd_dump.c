/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

static int run(struct command_call *c)
{
	return operation_run(c, "dumped", NULL);
}

static const struct command dump = {
	.name = "dump",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_vm_dump,
	.help = "Writes the guest's memory and the registers of its vCPUs into an ELF core on the "
		"server, for gdb or\n"
		"crash. The guest stands still meanwhile and then goes on as if nothing had been. "
		"The file goes\n"
		"into the folder that `dump` of the configuration names, else into dumps/VM of the "
		"state\n"
		"directory. With the policy dump_on_failure a guest that failed is dumped, too.\n"
		"\n"
		"  qvmadm dump brake\n"
		"  gdb -ex 'core-file /var/lib/qvm/dumps/brake/brake-20261123-120000.gcore' "
		"vmlinux",
	.options = operation_options,
	.run = run,
};

COMMAND_REGISTER(dump);
