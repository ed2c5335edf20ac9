/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/event.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "schemas/cause.h"
#include "schemas/journal.h"

enum { TAIL_MOST = 100000 }; /* the server's own limit */

struct shown {
	bool as_json;
	size_t n;
};

static bool show(void *arg, const char *line, size_t n, const json_t *event)
{
	struct shown *s = arg;

	s->n++;
	if (s->as_json) {
		fwrite(line, 1, n, stdout);
		putchar('\n');
	} else if (!event_is_beginning(event)) {
		event_print(event);
	}
	return fflush(stdout) == 0; /* whoever reads it, reads it now */
}

static int check_kind(const char *kind, struct err *e)
{
	struct str_near other = str_near(kind);

	for (unsigned k = 0; k < JOURNAL_COUNT; k++)
		if (str_try(&other, journal_table[k].id) == 0)
			return 0;
	if (other.near)
		return err_set(e, USAGE, "there is no kind of event '%s'; did you mean '%s'?", kind,
			       other.near);
	return err_set(e, USAGE, "there is no kind of event '%s'; qvmadm help events lists them",
		       kind);
}

static int check_kinds(const char *kinds, struct err *e)
{
	AUTO_FREE char *text = strdup(kinds);
	char *rest = text;

	for (char *kind; (kind = strsep(&rest, ","));)
		if (check_kind(kind, e) < 0)
			return -1;
	return 0;
}

static int check_severity(const char *word, struct err *e)
{
	if (journal_priority(word) >= 0)
		return 0;
	return err_set(e, USAGE, "'%s' is no severity; it is crit, err, warning, notice or info",
		       word);
}

static int check_cause(const char *word, struct err *e)
{
	if (cause_from_id(word) != CAUSE_NONE)
		return 0;
	return err_set(e, USAGE, "there is no cause '%s'; those that happened are in qvmadm list",
		       word);
}

enum { KEY_VM };

/* What an event is chosen by: a parameter of the route, --filter KEY=VALUE, some an option too. */
static const struct key {
	const char *name, *option; /* option: NULL = has none of its own */
	int (*check)(const char *value, struct err *e);
} keys[] = {[KEY_VM] = {"vm", "--vm", command_check_vm},
	    {"kind", "--kind", check_kinds},
	    {"severity", NULL, check_severity},
	    {"cause", NULL, check_cause}};

static bool is_key(const struct key *k, const char *filter)
{
	const char *equals = strchr(filter, '=');
	size_t n = equals ? (size_t)(equals - filter) : 0;

	return strlen(k->name) == n && memcmp(k->name, filter, n) == 0;
}

/* The last value given for it. */
static bool is_wanted(const struct command_call *c, const struct key *k, const char **ret_value)
{
	for (unsigned i = c->n_given; i--;) {
		const char *option = c->given[i].option->name, *value = c->given[i].value;
		bool is_own = k->option && !strcmp(option, k->option);

		if (!is_own && (strcmp(option, "--filter") != 0 || !is_key(k, value)))
			continue;
		*ret_value = is_own ? value : strchr(value, '=') + 1;
		return true;
	}
	return false;
}

static int check_filters(const struct command_call *c, struct err *e)
{
	for (unsigned i = 0; i < c->n_given; i++) {
		const char *value = c->given[i].value;
		bool is_known = strcmp(c->given[i].option->name, "--filter") != 0;

		for (size_t k = 0; k < NELEMS(keys); k++)
			is_known |= is_key(&keys[k], value);
		if (!is_known)
			return err_set(
				e, USAGE,
				"--filter '%s' is none of vm=, kind=, severity= and cause=", value);
	}
	return 0;
}

/* All values have been checked to be words that a query holds as they are. */
static int make_filter(const struct command_call *c, char filter[static EVENT_FILTER],
		       struct err *e)
{
	size_t n = 0;

	filter[0] = '\0';
	if (check_filters(c, e) < 0)
		return -1;
	for (size_t k = 0; k < NELEMS(keys); k++) {
		const char *value;

		if (!is_wanted(c, &keys[k], &value))
			continue;
		if (keys[k].check(value, e) < 0)
			return -1;
		str_add(filter, EVENT_FILTER, &n, "&%s=%s", keys[k].name, value);
	}
	return 0;
}

/* A sequence number, or a time, which is a filter. */
static int read_since(const char *text, int64_t *ret_seq, char filter[static EVENT_FILTER],
		      struct err *e)
{
	size_t digits = strspn(text, "0123456789"), n = strlen(filter);
	int64_t ago_ms;

	if (digits && !text[digits] && digits < 19) {
		*ret_seq = strtoll(text, NULL, 10);
		return 0;
	}
	if (age_read_since(text, clock_wall_ms(), &ago_ms, e) < 0)
		return -1;
	str_add(filter, EVENT_FILTER, &n, "&age=%" PRId64 "ms", ago_ms);
	return 0;
}

/* Events of VMs that were deleted are kept: only without any it matters whether there is one. */
static int tell_none(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	const char *vm;
	struct err e;

	if (!is_wanted(c, &keys[KEY_VM], &vm)) {
		fprintf(stderr, "There is no such event.\n");
		return 0;
	}
	if (http_call(c->http, &(struct http_request){.op = OP_vm_show, .param = vm}, &r, &e) < 0)
		return problem_local(&e, c->as_json);
	if (r.status == 404)
		fprintf(stderr, "There is no VM %s, and no such event of one.\n", vm);
	else
		fprintf(stderr, "There is no such event of %s.\n", vm);
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response refusal = {0};
	const char *since = command_value(c, "--since");
	char filter[EVENT_FILTER];
	struct shown shown = {.as_json = c->as_json};
	struct event_query q = {
		.since = -1,
		.tail = -1,
		.filter = filter,
		.ends_unread = true,
		.sink = show,
		.arg = &shown,
	};
	struct err e;
	long tail;

	if (make_filter(c, filter, &e) < 0 ||
	    (since && read_since(since, &q.since, filter, &e) < 0))
		return problem_local(&e, c->as_json);
	if (command_number(c, "--tail", 0, TAIL_MOST, -1, &tail, &e) < 0)
		return problem_local(&e, c->as_json);
	q.tail = tail;
	q.follow = command_value(c, "--follow") != NULL;
	if (event_read(c->http, &q, &refusal, &e) == 0)
		return q.follow || shown.n || c->as_json ? 0 : tell_none(c);
	return e.code ? problem_local(&e, c->as_json) : problem_answer(&refusal, NULL, c->as_json);
}

static const struct command_option options[] = {
	{"--follow", "-f", NULL, "go on with what happens from now, over lost connections"},
	{"--since", NULL, "TIME",
	 "from then on: 10m, 2h, today, '2026-01-31 12:00', or sequence number N"},
	{"--tail", "-n", "N", "of those that fit, begin with the newest N"},
	{"--vm", NULL, "VM", "as --filter vm=VM"},
	{"--kind", NULL, "KIND", "as --filter kind=KIND"},
	{"--filter", NULL, "FILTER",
	 "vm=VM, kind=KIND,..., cause=CAUSE, severity=crit, err, warning, notice or info"},
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
		"event is one line of JSON. Several filters pass what fits all; a severity passes "
		"what is "
		"worse, too.\n"
		"Kinds:"
#define JOURNAL(sym, id, message_id, priority, what) " " id
#include "schemas/journal.def"
#undef JOURNAL
		".\n\n"
		"  qvmadm events --follow\n"
		"  qvmadm events --vm brake --tail 20\n"
		"  qvmadm events --since yesterday --filter severity=warning\n"
		"  qvmadm -o json events --follow --kind safe | while read -r e; do ...; done",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(events);
