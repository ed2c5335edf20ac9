/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/field.h"
#include "client/incident.h"
#include "client/problem.h"

/* The server's order is not relied upon: the newest has the greatest id. */
static const json_t *newest_of(const json_t *incidents)
{
	const json_t *newest = NULL, *i;
	size_t n;

	json_array_foreach((json_t *)incidents, n, i)
		if (!newest || field_number(i, "id", 0) > field_number(newest, "id", 0))
			newest = i;
	return newest;
}

static const json_t *find(const json_t *incidents, const char *id)
{
	const json_t *i;
	size_t n;

	json_array_foreach((json_t *)incidents, n, i)
		if (field_number(i, "id", 0) == strtoll(id, NULL, 10))
			return i;
	return NULL;
}

static int tell(struct command_call *c, const json_t *incidents, const char *vm)
{
	const char *id = command_value(c, "--id");
	const json_t *one = id ? find(incidents, id) : newest_of(incidents);
	int64_t now_ms = clock_wall_ms();
	struct err e;

	if (id && !one) {
		err_set(&e, NOT_FOUND, "'%s' has no incident '%s'; qvmadm incidents %s lists them", vm,
			id, vm);
		return problem_local(&e, false);
	}
	if (!one) {
		fprintf(stderr, "%s has had no incident.\n", vm);
		return 0;
	}
	if (!id && !command_value(c, "--last") && json_array_size(incidents) > 1) {
		incident_print_table(incidents, now_ms);
		printf("\nThe newest:\n\n");
	}
	incident_print(one, now_ms);
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *list = NULL;
	struct err e;
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (command_ask(c, &(struct http_request){.op = OP_vm_incidents, .param = vm}, &r, &status) <
	    0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(r.body, r.body_bytes, &list, &e) < 0)
		return problem_local(&e, false);
	return tell(c, field_list(list, "incidents"), vm);
}

static const struct command_option options[] = {
	{"--last", NULL, NULL, "only the newest"},
	{"--id", NULL, "N", "only that one"},
	{0},
};

static const struct command incidents = {
	.name = "incidents",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_incidents,
	.help = "An incident is written at every failure, from the black box that outlives the worker: what\n"
		"happened, what followed, the last exits, the last lines of the console and of the log.\n"
		"Prints all in a line each, then the newest in full.\n\n"
		"  qvmadm incidents brake\n"
		"  qvmadm incidents brake --last\n"
		"  qvmadm --json incidents brake | jq '.incidents[0].exits'",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(incidents);
