/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "client/download.h"
#include "client/show/dump.h"
#include "client/show/field.h"
#include "client/show/operation.h"
#include "client/show/problem.h"
#include "client/show/progress.h"

enum { LOOK_MS = 300 };

struct watch {
	struct command_call *c;
	struct progress bar;
};

static const json_t *unfinished(const json_t *all)
{
	json_t *x;
	size_t i;

	json_array_foreach (field_list(all, "dumps"), i, x)
		if (!strcmp(field_text(x, "state"), "writing"))
			return x;
	return NULL;
}

/* How far the host is; whoever cannot be asked now is asked again. */
static void look(void *arg)
{
	struct watch *w = arg;
	const struct http_request q = {.op = OP_dump_list, .param = w->c->argument[0]};
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *all = NULL;
	const json_t *x;
	struct err e;

	if (http_call(w->c->http, &q, &r, &e) < 0 || !http_is_success(&r) ||
	    field_parse(r.body, r.body_bytes, &all, &e) < 0)
		return;
	x = unfinished(all);
	if (x && field_number(x, "done", 0)) {
		uint64_t there = (uint64_t)field_number(x, "disk_bytes", 0);

		w->bar.total = there * 100 / (uint64_t)field_number(x, "done", 1);
		progress_show(&w->bar, there);
	}
}

static void end(void *arg)
{
	struct watch *w = arg;

	progress_end(&w->bar);
}

/* By the name that the operation told; the host keeps its own. */
static int bring(struct command_call *c, const json_t *operation, const char *output)
{
	AUTO_JSON json_t *dump = NULL;
	const char *path = field_text(operation, "phase"), *slash = strrchr(path, '/');
	int status;

	dump = dump_find(c, c->argument[0], slash ? slash + 1 : path, &status);
	if (dump)
		status = download_run(c, c->argument[0], dump, output);
	if (status != 0)
		fprintf(stderr,
			"The dump is on the host; to bring it without another one: qvmadm dumps %s "
			"--download %s --file FILE\n",
			c->argument[0], slash ? slash + 1 : path);
	return status;
}

static int run(struct command_call *c)
{
	const char *output = command_value(c, "--file");
	AUTO_JSON json_t *operation = NULL;
	struct watch w = {.c = c};
	struct operation_watch watch = {
		.every_ms = LOOK_MS, .end = end, .arg = &w, .ret = &operation};
	struct err e;
	int status;

	if (output && command_value(c, "--no-wait")) {
		err_set(&e, USAGE,
			"--file takes what has been written: it goes not with --no-wait");
		return problem_local(&e, c->as_json);
	}
	if (output && download_check(output, &e) < 0)
		return problem_local(&e, c->as_json);
	progress_begin(&w.bar, stderr, c->argument[0], 0, 0);
	if (w.bar.is_shown && !c->as_json)
		watch.look = look;
	status = operation_run_watched(c, "dumped", NULL, &watch);
	if (status != 0 || !output)
		return status;
	return bring(c, operation, output);
}

static const struct command_option options[] = {
	{"--file", "-f", "FILE", "then bring it here, into that file; takes the role admin"},
	{"--wait", "-w", "TIME", "wait at most so long: 30s, 5m (else until it has ended)"},
	{"--no-wait", NULL, NULL, "only ask for it"},
	{0},
};

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
		"directory. With the policy dump_on_failure a guest that failed is dumped, too. "
		"`qvmadm dumps VM`\n"
		"lists what is there.\n"
		"\n"
		"  qvmadm dump brake\n"
		"  qvmadm dump brake --file brake.gcore\n"
		"  gdb -ex 'core-file brake.gcore' vmlinux",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(dump);
