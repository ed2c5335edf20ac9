/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client/command.h"
#include "client/follower.h"
#include "client/show/problem.h"
#include "client/show/screen.h"

enum { MOST = 100000 };

static const char since_instead[] =
	"qvmadm events --vm VM --since TIME tells what happened when; --tail counts lines";

static const struct follower_source followed = {
	.op = OP_vm_log,
	.what = "log",
	.position = "Log-Position",
	.generation = "Log-Generation",
};

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	struct screen screen = screen_open();
	char query[32];
	struct err e;
	long lines;
	bool is_whole = false;
	int status = 0;
	struct http_request q = {
		.op = OP_vm_log,
		.query = query,
		.accept = "text/plain",
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
	snprintf(query, sizeof query, "tail=%ld", lines);
	if (command_value(c, "--follow"))
		status = follower_run(c, &followed, q.param, lines, &screen);
	else if (command_ask(c, &q, &r, &status) == 0)
		is_whole = true;
	screen_close(&screen);
	if (is_whole && lines && !screen.n_shown)
		fprintf(stderr, "The worker of %s has logged nothing.\n", q.param);
	return status;
}

static const struct command_option options[] = {
	{"--follow", "-f", NULL,
	 "go on with what it logs from now, over restarts and lost connections"},
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
