/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/str.h"
#include "client/command.h"
#include "client/show/problem.h"
#include "client/show/screen.h"

enum { MOST = 100000 };

static const char since_instead[] =
	"qvmadm events --vm VM --since TIME tells what happened when; --tail counts lines";

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	bool follow = command_value(c, "--follow") != NULL;
	struct screen screen = screen_open();
	char query[64] = "";
	size_t len = 0;
	struct err e;
	long lines;
	int status = 0;
	struct http_request q = {
		.op = OP_vm_log,
		.query = query,
		.accept = "text/plain",
		.timeout_ms = follow ? -1 : 0,
		.ends_unread = follow,
		.sink = screen_show,
		.sink_arg = &screen,
	};

	q.param = command_vm(c, &status);
	if (!q.param)
		return status;
	if (command_value(c, "--since")) {
		err_set(&e, USAGE, "the lines in the ring of a worker carry no time to choose by");
		return problem_local_with(&e, since_instead, c->as_json);
	}
	if (command_number(c, "--tail", 0, MOST, MOST, &lines, &e) < 0)
		return problem_local(&e, c->as_json);
	str_add(query, sizeof query, &len, "tail=%ld%s", lines, follow ? "&follow=1" : "");
	if (command_ask(c, &q, &r, &status) < 0)
		return status;
	screen_close(&screen);
	if (!follow && lines && !screen.n_shown)
		fprintf(stderr, "The worker of %s has logged nothing.\n", q.param);
	return 0;
}

static const struct command_option options[] = {
	{"--follow", "-f", NULL, "go on with what it logs from now, over restarts"},
	{"--tail", "-n", "LINES", "begin with the last so many lines"},
	{"--since", NULL, "TIME", "refused, as the lines carry no time; events has it"},
	{0},
};

static const struct command logs = {
	.name = "logs",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_log,
	.summary = "What the worker of a VM logged: its vdevs' warnings, reports, why it ended",
	.help = "Prints the log ring of the black box (32 KiB), of the present or the last worker, "
		"also after\n"
		"its end; `logger` and `vdev log` of the configuration say what gets there. Older "
		"workers' last\n"
		"lines are in their incidents. What the supervisor says of a VM is in the journal: "
		"journalctl\n"
		"QVM_VM=NAME on its host. What the guest itself prints is `qvmadm console`.\n\n"
		"  qvmadm logs brake\n"
		"  qvmadm logs brake -n 20 --follow\n"
		"  qvmadm logs brake | grep -i warning",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(logs);
