/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/download.h"
#include "client/show/age.h"
#include "client/show/dump.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/size.h"
#include "client/show/table.h"

static void print_why(struct table *t, const json_t *x)
{
	int64_t incident = field_number(x, "incident", 0);

	if (!strcmp(field_text(x, "state"), "writing"))
		table_cell(t, TERM_BUSY, "being written, %" PRId64 "%%",
			   field_number(x, "done", 0));
	else if (incident)
		table_cell(t, TERM_BAD, "%s, incident %" PRId64, field_word(x, "cause"), incident);
	else
		table_cell(t, TERM_PLAIN, "asked for");
}

static void print_dumps(const json_t *dumps)
{
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	size_t i;
	json_t *x;

	table_column(t, "NAME", TABLE_LEFT, false);
	table_column(t, "SIZE", TABLE_RIGHT, false);
	table_column(t, "ON DISK", TABLE_RIGHT, false);
	table_column(t, "WHEN", TABLE_LEFT, false);
	table_column(t, "WHY", TABLE_LEFT, true);
	json_array_foreach (dumps, i, x) {
		char age[AGE_TEXT], size[SIZE_TEXT];

		table_cell(t, TERM_BOLD, "%s", field_text(x, "name"));
		table_cell(t, TERM_PLAIN, "%s",
			   size_text((uint64_t)field_number(x, "bytes", 0), size));
		table_cell(t, TERM_PLAIN, "%s",
			   size_text((uint64_t)field_number(x, "disk_bytes", 0), size));
		table_cell(t, TERM_DIM, "%s", age_text(field_text(x, "at"), now_ms, age));
		print_why(t, x);
	}
	table_print(t, stdout, 0, term_width(stdout));
}

static int list(struct command_call *c, const char *vm)
{
	AUTO_JSON json_t *all = NULL;
	const struct http_request q = {.op = OP_dump_list, .param = vm};
	int status;

	all = command_read(c, &q, &status);
	if (!all)
		return status;
	if (json_array_size(field_list(all, "dumps"))) {
		print_dumps(field_list(all, "dumps"));
		return 0;
	}
	fprintf(stderr,
		"There is no dump of %s. `qvmadm dump %s` makes one; with the policy "
		"dump_on_failure each failure does.\n",
		vm, vm);
	return 0;
}

static int download(struct command_call *c, const char *vm, const char *name)
{
	AUTO_JSON json_t *dump = NULL;
	int status;

	dump = dump_find(c, vm, name, &status);
	return dump ? download_run(c, vm, dump, command_value(c, "--file")) : status;
}

static int delete (struct command_call *c, const char *vm, const char *name)
{
	AUTO_RESPONSE struct http_response r = {0};
	const struct http_request q = {.op = OP_dump_delete, .param = vm, .second = name};
	int status;

	if (command_ask(c, &q, &r, &status) < 0)
		return status;
	if (!c->as_json)
		printf("%s: removed from the host\n", name);
	return 0;
}

static int run(struct command_call *c)
{
	const char *get = command_value(c, "--download"), *remove = command_value(c, "--delete");
	int status;
	const char *vm = command_vm(c, &status);
	struct err e;

	if (!vm)
		return status;
	if ((get && remove) || (command_value(c, "--file") && !get)) {
		err_set(&e, USAGE, "%s",
			get ? "--download and --delete contradict each other; give one"
			    : "--file goes with --download NAME");
		return problem_local(&e, c->as_json);
	}
	return get ? download(c, vm, get) : remove ? delete (c, vm, remove) : list(c, vm);
}

static const struct command_option options[] = {
	{"--download", "-d", "NAME", "bring that dump here; 'newest' is the newest whole one"},
	{"--file", "-f", "FILE", "into that file; without it by its own name into this folder"},
	{"--delete", NULL, "NAME", "remove that dump from the host"},
	{0},
};

static const struct command dumps = {
	.name = "dumps",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_dump_list,
	.help = "Lists the dumps of a VM on its host, newest first, and one that is being written. "
		"A dump holds all\n"
		"that its guest had in memory, keys and passwords too: to download or delete one "
		"takes the role admin,\n"
		"and the audit tells who did.\n"
		"\n"
		"A download that breaks off leaves NAME.TAG.part; the same command goes on from "
		"there.\n"
		"\n"
		"  qvmadm dumps brake\n"
		"  qvmadm dumps brake --download newest --file brake.gcore\n"
		"  gdb -ex 'core-file brake.gcore' vmlinux",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(dumps);
