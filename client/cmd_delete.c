/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client/command.h"

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (command_ask(c, &(struct http_request){.op = OP_vm_delete, .param = vm}, &r, &status) <
	    0)
		return status;
	if (!c->as_json)
		printf("%s: deleted\n", vm);
	return 0;
}

static const struct command delete = {
	.name = "delete",
	.alias = "rm",
	.group = COMMAND_SETUP,
	.arguments = "VM",
	.op = OP_vm_delete,
	.help = "Its configuration, all revisions and its policy are gone; incidents and events "
		"stay. A running\n"
		"VM is refused: stop it first.\n\n"
		"  qvmadm stop brake && qvmadm delete brake\n"
		"  qvmadm kill brake && qvmadm delete brake",
	.run = run,
};

COMMAND_REGISTER(delete);
