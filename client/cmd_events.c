/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/command.h"
#include "client/event.h"
#include "client/field.h"
#include "client/problem.h"
#include "schemas/journal.h"

struct filter {
	const char *vm, *kind;
	bool as_json;
};

static bool show(void *arg, const char *line, size_t n, const json_t *event)
{
	const struct filter *f = arg;
	bool is_ready = !strcmp(field_text(event, "kind"), "ready");

	if (f->vm && !is_ready && strcmp(field_text(event, "vm"), f->vm) != 0)
		return true;
	if (f->kind && strcmp(field_text(event, "kind"), f->kind) != 0)
		return true;
	if (f->as_json) {
		fwrite(line, 1, n, stdout);
		putchar('\n');
	} else if (!is_ready) {
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
	return err_set(e, USAGE, "there is no kind of event '%s'; qvmadm help events lists them", kind);
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response refusal = {0};
	const char *since = command_value(c, "--since");
	struct filter f = {command_value(c, "--vm"), command_value(c, "--kind"), c->as_json};
	struct event_query q = {.follow = command_value(c, "--follow") != NULL,
				.sink = show,
				.arg = &f};
	struct err e;
	char *end;

	q.since = since ? strtoll(since, &end, 10) : q.follow ? -1 : 0;
	if (since && (*end || end == since || q.since < 0)) {
		err_set(&e, USAGE, "--since '%s' is no sequence number; it counts from 0", since);
		return problem_local(&e, c->as_json);
	}
	if (f.kind && check_kind(f.kind, &e) < 0)
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
	.help = "Every change of every VM is an event with a sequence number without gaps. With --json each\n"
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
