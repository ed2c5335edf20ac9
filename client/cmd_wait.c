/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/event.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "schemas/cause.h"
#include "schemas/lifecycle.h"

enum { TRIES = 20, PAUSE_MS = 150 };

/* "observed=running", "gone". */
struct condition {
	char column[16]; /* "" = gone */
	char word[32];
};

struct wait {
	struct command_call *c;
	struct http *http; /* a second door: the first one streams */
	const char *vm;
	struct condition wanted;
	char seen[160]; /* the last state, for the time-out */
	bool is_met;
	int status; /* of a refusal that ended the wait */
};

/* What an event says about a column, so that a state which has passed already is not missed. */
static const struct {
	const char *kind, *column, *word;
} said_by[] = {
	{"starting", "observed", "starting"}, {"started", "observed", "running"},
	{"stopping", "observed", "stopping"}, {"ended", "observed", "stopped"},
	{"safe", "observed", "safe"},	      {"safe", "health", "failed"},
	{"suspect", "health", "suspect"},     {"healthy", "health", "healthy"},
	{"released", "observed", "stopped"},  {"paused", "observed", "paused"},
	{"resumed", "observed", "running"},
};

static bool event_meets(const struct wait *w, const json_t *event)
{
	const char *kind = field_text(event, "kind");

	if (!*w->wanted.column)
		return !strcmp(kind, "deleted");
	if (!strcmp(w->wanted.column, "cause"))
		return !strcmp(field_text(event, "cause"), w->wanted.word);
	for (size_t i = 0; i < NELEMS(said_by); i++)
		if (!strcmp(said_by[i].kind, kind) &&
		    !strcmp(said_by[i].column, w->wanted.column) &&
		    !strcmp(said_by[i].word, w->wanted.word))
			return true;
	return false;
}

static void note_state(struct wait *w, const json_t *vm)
{
	snprintf(w->seen, sizeof w->seen, "desired %s, observed %s, health %s, cause %s",
		 field_word(vm, "desired"), field_word(vm, "observed"), field_word(vm, "health"),
		 field_word(vm, "cause"));
}

/* The API process is started again when it dies, and the stream with it: what passes is waited out. */
static int ask(struct wait *w, struct http_response *ret, struct err *e)
{
	const struct http_request q = {.op = OP_vm_show, .param = w->vm};
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

/* Look at the VM once. False ends the wait. */
static bool look(struct wait *w)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *vm = NULL;
	struct err e;

	if (ask(w, &r, &e) < 0) {
		w->status = problem_local(&e, w->c->as_json);
		return false;
	}
	if (r.status == 404 && !*w->wanted.column) {
		w->is_met = true;
		return false;
	}
	if (!http_is_success(&r)) {
		w->status = problem_answer(&r, NULL, w->c->as_json);
		return false;
	}
	if (field_parse(r.body, r.body_bytes, &vm, &e) < 0) {
		w->status = problem_local(&e, w->c->as_json);
		return false;
	}
	note_state(w, vm);
	w->is_met = *w->wanted.column && !strcmp(field_text(vm, w->wanted.column), w->wanted.word);
	return !w->is_met;
}

/* The stream is open before the first look: nothing can happen between the two unseen. */
static bool on_event(void *arg, const char *line, size_t n, const json_t *event)
{
	struct wait *w = arg;
	bool is_ready = !strcmp(field_text(event, "kind"), "ready");

	(void)line, (void)n;
	if (!is_ready && event_meets(w, event)) {
		w->is_met = true;
		return false;
	}
	return look(w);
}

static bool word_exists(const char *column, const char *word)
{
	if (!strcmp(column, "desired"))
		return desired_from_id(word) >= 0;
	if (!strcmp(column, "observed"))
		return observed_from_id(word) >= 0;
	if (!strcmp(column, "health"))
		return health_from_id(word) >= 0;
	return cause_from_id(word) != CAUSE_NONE || !strcmp(word, cause_id(CAUSE_NONE));
}

static void list_words(const char *column, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	if (!strcmp(column, "desired"))
		for (unsigned i = 0; i < DESIRED_COUNT; i++)
			str_add(buf, cap, &len, " %s", desired_id(i));
	else if (!strcmp(column, "observed"))
		for (unsigned i = 0; i < OBSERVED_COUNT; i++)
			str_add(buf, cap, &len, " %s", observed_id(i));
	else if (!strcmp(column, "health"))
		for (unsigned i = 0; i < HEALTH_COUNT; i++)
			str_add(buf, cap, &len, " %s", health_id(i));
	else
		str_add(buf, cap, &len, " those that qvmadm list and incidents show");
}

static int read_condition(const char *text, struct condition *ret, struct err *e)
{
	static const char *const column[] = {"desired", "observed", "health", "cause"};
	const char *equals = strchr(text, '=');
	char name[16], words[160];

	*ret = (struct condition){0};
	if (!strcmp(text, "gone"))
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - text : 0), text);
	if (!strcmp(name, "state"))
		str_copy(name, sizeof name, "observed");
	for (size_t i = 0; i < NELEMS(column); i++) {
		if (strcmp(name, column[i]) != 0)
			continue;
		str_copy(ret->column, sizeof ret->column, name);
		if (str_copy(ret->word, sizeof ret->word, equals + 1) &&
		    word_exists(name, ret->word))
			return 0;
		list_words(name, words, sizeof words);
		return err_set(e, USAGE, "'%s' is never '%s'; it is one of:%s", name, equals + 1,
			       words);
	}
	return err_set(
		e, USAGE,
		"--for '%s' is no condition; it is state=, health=, cause= or desired= and a "
		"word, or gone",
		text);
}

static int finish(const struct wait *w, const char *timeout)
{
	char now[192] = "";
	struct err e;

	if (w->is_met) {
		if (!w->c->as_json)
			printf("%s: %s%s%s\n", w->vm, w->wanted.column,
			       *w->wanted.column ? " " : "gone", w->wanted.word);
		return 0;
	}
	if (w->status)
		return w->status;
	if (*w->seen)
		snprintf(now, sizeof now, "; it is %s", w->seen);
	err_set(&e, TIMEOUT, "'%s' was not %s%s%s within %s%s", w->vm,
		*w->wanted.column ? w->wanted.column : "gone", *w->wanted.column ? " " : "",
		w->wanted.word, timeout, now);
	return problem_local(&e, w->c->as_json);
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response refusal = {0};
	AUTO_HTTP struct http *second = NULL;
	const char *what = command_value(c, "--for"), *timeout = command_value(c, "--timeout");
	struct wait w = {.c = c};
	struct event_query q = {.since = -1, .follow = true, .sink = on_event, .arg = &w};
	int64_t timeout_ms = 0;
	struct err e;
	int status;

	w.vm = command_vm(c, &status);
	if (!w.vm)
		return status;
	q.vm = w.vm;
	if (read_condition(what ? what : "state=running", &w.wanted, &e) < 0 ||
	    (timeout && age_read_span(timeout, &timeout_ms, &e) < 0) ||
	    http_again(c->http, &second, &e) < 0)
		return problem_local(&e, c->as_json);
	w.http = second;
	if (timeout)
		q.deadline_ms = (int64_t)clock_mono_ms() + timeout_ms;
	if (event_read(c->http, &q, &refusal, &e) == 0 || e.code == ERR_TIMEOUT)
		return finish(&w, timeout ? timeout : "");
	return e.code ? problem_local(&e, c->as_json) : problem_answer(&refusal, NULL, c->as_json);
}

static const struct command_option options[] = {
	{"--for", NULL, "WHAT",
	 "state=running (the default), health=..., cause=..., desired=..., gone"},
	{"--timeout", NULL, "TIME", "give up after 30s, 5m ...; exit status 18"},
	{0},
};

static const struct command wait = {
	.name = "wait",
	.group = COMMAND_ACT,
	.arguments = "VM",
	.op = OP_event_list,
	.summary = "Wait until a VM is in a state, or has passed through it",
	.help = "Reads the event stream, so it costs the server nothing and misses nothing that "
		"happens while it\n"
		"waits, however short.\n\n"
		"  qvmadm wait brake --for state=running --timeout 30s\n"
		"  qvmadm wait brake --for state=safe && page-someone\n"
		"  qvmadm wait brake --for cause=watchdog\n"
		"  qvmadm wait brake --for gone",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(wait);
