/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/name.h"
#include "base/str.h"
#include "client/command.h"
#include "client/condition.h"
#include "client/show/age.h"
#include "client/show/event.h"
#include "client/show/field.h"
#include "client/show/operation.h"
#include "client/show/problem.h"

enum { TRIES = 20, PAUSE_MS = 150, SEEN = 160 };

struct wait {
	struct command_call *c;
	struct http *http; /* a second door: the first one streams */
	struct condition wanted;
	unsigned n, n_met;
	struct target {
		const char *vm;
		bool is_met;
		char seen[SEEN]; /* the last state, for the time-out */
	} target[COMMAND_ARGUMENTS];
	int status; /* of a refusal that ended the wait */
};

static void note_state(struct target *t, const json_t *vm)
{
	snprintf(t->seen, sizeof t->seen, "desired %s, observed %s, health %s, cause %s",
		 field_word(vm, "desired"), field_word(vm, "observed"), field_word(vm, "health"),
		 field_word(vm, "cause"));
}

static void meet(struct wait *w, struct target *t)
{
	char text[64];

	t->is_met = true;
	w->n_met++;
	if (w->c->as_json)
		return;
	printf("%s: %s\n", t->vm, condition_text(&w->wanted, text));
	fflush(stdout); /* whoever waits for several sees which are there */
}

/* The API process is started again when it dies, and the stream with it: what passes is waited out. */
static int ask(struct wait *w, const char *vm, struct http_response *ret, struct err *e)
{
	const struct http_request q = {.op = OP_vm_show, .param = vm};
	struct timespec pause = {0, PAUSE_MS * 1000000L};

	for (unsigned i = 0; i < TRIES; i++) {
		int result = http_call(w->http, &q, ret, e);

		if (result < 0 ? e->code != ERR_NO_SERVER : ret->status != 503)
			return result;
		if (i + 1 == TRIES)
			return result;
		http_response_free(ret);
		nanosleep(&pause, NULL);
	}
	return -1; /* TRIES is not 0 */
}

/* Look at one VM once. -1 ends the wait. */
static int look(struct wait *w, struct target *t)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *vm = NULL;
	struct err e;

	if (ask(w, t->vm, &r, &e) < 0) {
		w->status = problem_local(&e, w->c->as_json);
		return -1;
	}
	if (r.status == 404 && !*w->wanted.column) {
		meet(w, t);
		return 0;
	}
	if (!http_is_success(&r)) {
		const struct http_request q = {.op = OP_vm_show, .param = t->vm};

		w->status = command_refused(w->c, &q, &r);
		return -1;
	}
	if (field_parse(r.body, r.body_bytes, &vm, &e) < 0) {
		w->status = problem_local(&e, w->c->as_json);
		return -1;
	}
	note_state(t, vm);
	if (condition_is_met(&w->wanted, vm))
		meet(w, t);
	return 0;
}

/* The stream is open before the first look: nothing can happen between the two unseen. */
static bool on_event(void *arg, const char *line, size_t n, const json_t *event)
{
	struct wait *w = arg;
	bool is_ready = event_is_beginning(event);

	(void)line, (void)n;
	for (unsigned i = 0; i < w->n; i++) {
		struct target *t = &w->target[i];

		if (t->is_met || (!is_ready && strcmp(field_text(event, "vm"), t->vm) != 0))
			continue;
		if (!is_ready && condition_is_told(&w->wanted, event))
			meet(w, t);
		else if (look(w, t) < 0)
			return false;
	}
	return w->n_met < w->n;
}

/* Of the first that has not come to it. */
static int tell_late(const struct wait *w, const char *timeout)
{
	char now[SEEN + 16] = "", others[48] = "", text[64], hint[NAME_CAP + 48];
	const struct target *t = w->target;
	struct err e;

	while (t->is_met)
		t++;
	if (*t->seen)
		snprintf(now, sizeof now, "; it is %s", t->seen);
	if (w->n - w->n_met > 1)
		snprintf(others, sizeof others, ", nor %u more", w->n - w->n_met - 1);
	err_set(&e, TIMEOUT, "'%s' was not %s within %s%s%s", t->vm,
		condition_text(&w->wanted, text), timeout, now, others);
	snprintf(hint, sizeof hint, "qvmadm status %s shows what it does", t->vm);
	return problem_local_with(&e, hint, w->c->as_json);
}

static int wait_for_state(struct wait *w, int64_t deadline_ms, const char *timeout)
{
	AUTO_RESPONSE struct http_response refusal = {0};
	AUTO_HTTP struct http *second = NULL;
	char filter[EVENT_FILTER];
	struct event_query q = {
		.since = -1,
		.tail = -1,
		.filter = w->n == 1 ? filter : NULL,
		.follow = true,
		.deadline_ms = deadline_ms,
		.sink = on_event,
		.arg = w,
	};
	struct err e;

	snprintf(filter, sizeof filter, "&vm=%s", w->target[0].vm);
	if (http_again(w->c->http, &second, &e) < 0)
		return problem_local(&e, w->c->as_json);
	w->http = second;
	if (event_read(w->c->http, &q, &refusal, &e) == 0)
		return w->n_met == w->n ? 0 : w->status;
	if (e.code == ERR_TIMEOUT)
		return tell_late(w, timeout);
	return e.code ? problem_local(&e, w->c->as_json)
		      : problem_answer(&refusal, NULL, w->c->as_json);
}

/* Those that are under way now; the worst of their ends. */
static int wait_for_operations(struct wait *w, int64_t deadline_ms)
{
	int status = 0;

	for (unsigned i = 0; i < w->n; i++) {
		AUTO_JSON json_t *list = NULL;
		AUTO_RESPONSE struct http_response r = {0};
		char query[96];
		struct http_request q = {.op = OP_operation_list, .query = query};
		struct err e;
		json_t *x;
		size_t k;

		snprintf(query, sizeof query, "limit=1000&vm=%s", w->target[i].vm);
		if (command_ask(w->c, &q, &r, &status) < 0)
			return status;
		if (field_parse(r.body, r.body_bytes, &list, &e) < 0)
			return problem_local(&e, w->c->as_json);
		json_array_foreach (field_list(list, "operations"), k, x) {
			int ended;

			if (strcmp(field_text(x, "state"), "running") != 0)
				continue;
			ended = operation_await(w->c, x, deadline_ms);
			status = ended ? ended : status;
		}
	}
	return status;
}

static int run(struct command_call *c)
{
	const char *what = command_value(c, "--for"), *timeout = command_value(c, "--timeout");
	struct wait w = {.c = c};
	int64_t timeout_ms = 0, deadline_ms = 0;
	struct err e;

	for (; w.n < COMMAND_ARGUMENTS && c->argument[w.n]; w.n++) {
		w.target[w.n].vm = c->argument[w.n];
		if (command_check_vm(c->argument[w.n], &e) < 0)
			return problem_local(&e, c->as_json);
	}
	if (condition_read(what ? what : "state=running", &w.wanted, &e) < 0 ||
	    (timeout && age_read_span(timeout, &timeout_ms, &e) < 0))
		return problem_local(&e, c->as_json);
	if (timeout)
		deadline_ms = (int64_t)clock_mono_ms() + timeout_ms;
	if (!strcmp(w.wanted.column, "operation"))
		return wait_for_operations(&w, deadline_ms);
	return wait_for_state(&w, deadline_ms, timeout ? timeout : "");
}

static const struct command_option options[] = {
	{"--for", NULL, "WHAT",
	 "state=running (the default), health=, cause=, desired=, event=, operation, gone"},
	{"--timeout", NULL, "TIME", "give up after 30s, 5m ...; exit status 18"},
	{0},
};

static const struct command wait = {
	.name = "wait",
	.group = COMMAND_ACT,
	.arguments = "VM...",
	.op = OP_event_list,
	.summary = "Wait until VMs are in a state, or have passed through it",
	.help = "Reads the event stream, so it costs the server nothing and misses nothing that "
		"happens while it\n"
		"waits, however short. Of several VMs each has to come to it. `event=KIND` is one "
		"that "
		"is still to come;\n"
		"`operation` is the end of all that is under way, and its exit status that of one "
		"that "
		"was not done.\n\n"
		"  qvmadm wait brake --for state=running --timeout 30s\n"
		"  qvmadm wait web-1 web-2 --for health=healthy --timeout 1m\n"
		"  qvmadm wait brake --for state=safe && page-someone\n"
		"  qvmadm wait brake --for event=restart\n"
		"  qvmadm wait brake --for operation\n"
		"  qvmadm wait brake --for gone",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(wait);
