/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/incident.h"
#include "client/show/problem.h"

enum { MOST = 50 }; /* in the table */

/* `incidents VM N` is `incidents VM --id N`. */
static const char *id_of(const struct command_call *c)
{
	return c->argument[1] ? c->argument[1] : command_value(c, "--id");
}

/* Newest first; --id is the first one before the next id. */
static int make_query(const struct command_call *c, char *ret, size_t cap, struct err *e)
{
	const char *id = id_of(c);
	char *end;
	long long n;

	snprintf(ret, cap, "limit=%d", command_value(c, "--last") ? 1 : MOST);
	if (!id)
		return 0;
	n = strtoll(id, &end, 10);
	if (!*id || *end || n < 1 || n > INT32_MAX)
		return err_set(e, USAGE, "'%s' is no number of an incident", id);
	snprintf(ret, cap, "limit=1&before=%lld", n + 1);
	return 0;
}

static int tell(struct command_call *c, const json_t *list, const char *vm)
{
	const char *id = id_of(c);
	json_t *incidents = field_list(list, "incidents"), *first = json_array_get(incidents, 0);
	int64_t now_ms = clock_wall_ms();
	struct err e;

	if (id && field_number(first, "id", 0) != strtoll(id, NULL, 10)) {
		err_set(&e, NOT_FOUND, "'%s' has no incident %s", vm, id);
		err_advise(&e, "qvmadm incidents %s shows those that are kept", vm);
		return problem_local(&e, false);
	}
	if (c->output == OUTPUT_NAME) {
		output_names(incidents, "id");
		return 0;
	}
	if (!first) {
		fprintf(stderr, "%s has had no incident.\n", vm);
		return 0;
	}
	if (!id && !command_value(c, "--last") && json_array_size(incidents) > 1) {
		incident_print_table(incidents, now_ms, command_width(c));
		if (field_number(list, "next", 0))
			printf("(and older ones)\n");
		printf("\nThe newest:\n\n");
	}
	incident_print(first, now_ms);
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *list = NULL;
	char query[64];
	struct http_request q = {.op = OP_vm_incidents, .query = query};
	struct err e;
	int status;

	q.param = command_vm(c, &status);
	if (!q.param)
		return status;
	if (make_query(c, query, sizeof query, &e) < 0)
		return problem_local(&e, c->as_json);
	list = command_read(c, &q, &status);
	if (!list)
		return status;
	return tell(c, list, q.param);
}

static const struct command_option options[] = {
	{"--last", NULL, NULL, "only the newest"},
	{"--id", NULL, "N", "only that one"},
	{0},
};

static const struct command incidents = {
	.name = "incidents",
	.group = COMMAND_LOOK,
	.arguments = "VM [N]",
	.op = OP_vm_incidents,
	.forms = OUTPUT_IN(OUTPUT_NAME) | OUTPUT_IN(OUTPUT_WIDE),
	.help = "An incident is written at every failure, from the black box that outlives the "
		"worker: what\n"
		"happened, what followed, the last exits, the last lines of the console and of the "
		"log.\n"
		"Prints all in a line each, then the newest in full.\n\n"
		"  qvmadm incidents brake\n"
		"  qvmadm incidents brake --last\n"
		"  qvmadm incidents brake 17\n"
		"  qvmadm --json incidents brake | jq '.incidents[0].exits'",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(incidents);
