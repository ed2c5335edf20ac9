/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/command.h"
#include "client/show/event.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "schemas/journal.h"

static bool show(void *arg, const char *line, size_t n, const json_t *event)
{
	const struct command_call *c = arg;

	if (c->as_json) {
		fwrite(line, 1, n, stdout);
		putchar('\n');
	} else if (strcmp(field_text(event, "kind"), "ready") != 0) {
		event_print(event);
	}
	return fflush(stdout) == 0; /* whoever reads it, reads it now */
}

static int check_kind(const char *kind, struct err *e)
{
	const char *near = NULL;
	unsigned least = 4;

	for (unsigned k = 0; k < JOURNAL_COUNT; k++) {
		unsigned d = str_distance(kind, journal_table[k].id);

		if (d == 0)
			return 0;
		if (d < least) {
			least = d;
			near = journal_table[k].id;
		}
	}
	if (near)
		return err_set(e, USAGE, "there is no kind of event '%s'; did you mean '%s'?", kind,
			       near);
	return err_set(e, USAGE, "there is no kind of event '%s'; qvmadm help events lists them",
		       kind);
}

static int read_since(const char *text, int64_t *ret, struct err *e)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (!*text || *end || n < 0)
		return err_set(e, USAGE, "--since '%s' is no sequence number; it counts from 0",
			       text);
	*ret = n;
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response refusal = {0};
	const char *since = command_value(c, "--since");
	struct event_query q = {
		.since = -1,
		.vm = command_value(c, "--vm"),
		.kind = command_value(c, "--kind"),
		.follow = command_value(c, "--follow") != NULL,
		.sink = show,
		.arg = c,
	};
	struct err e;

	if ((since && read_since(since, &q.since, &e) < 0) ||
	    (q.kind && check_kind(q.kind, &e) < 0) || (q.vm && command_check_vm(q.vm, &e) < 0))
		return problem_local(&e, c->as_json);
	if (event_read(c->http, &q, &refusal, &e) == 0)
		return 0;
	return e.code ? problem_local(&e, c->as_json) : problem_answer(&refusal, NULL, c->as_json);
}

static const struct command_option options[] = {
	{"--follow", "-f", NULL, "go on with what happens from now, over lost connections"},
	{"--since", NULL, "N", "from sequence number N on"},
	{"--vm", NULL, "VM", "only those about VM"},
	{"--kind", NULL, "KIND", "only those of a kind"},
	{0},
};

static const struct command events = {
	.name = "events",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_event_list,
	.summary = "What happened on this host, and what happens",
	.help = "Every change of every VM is an event with a sequence number without gaps. With "
		"--json each\n"
		"event is one line of JSON. Kinds:"
#define JOURNAL(sym, id, message_id, priority, what) " " id
#include "schemas/journal.def"
#undef JOURNAL
		".\n\n"
		"  qvmadm events --follow\n"
		"  qvmadm events --vm brake --since 0\n"
		"  qvmadm --json events --follow --kind safe | while read -r e; do ...; done",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(events);
