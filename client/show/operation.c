/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/http.h"
#include "client/show/problem.h"

const struct command_option operation_options[] = {
	{"--wait", "-w", "TIME", "wait at most so long: 30s, 5m (else until it has ended)"},
	{"--no-wait", NULL, NULL, "only ask for it"},
	{0},
};

/* The server waits at most so long in one request. */
enum { SLICE_MS = 30000, POLL_MS = 200 };

struct run {
	struct command_call *c;
	const char *vm, *what, *past, *idle; /* what: the verb */
	int64_t deadline_ms;		     /* monotonic; -1 = none */
	struct operation_watch watch;
	struct http_response answer;
	json_t *operation;
};

static void done(const struct run *r)
{
	http_response_free((struct http_response *)&r->answer);
	json_decref(r->operation);
}

static int64_t left_ms(const struct run *r)
{
	int64_t left = r->deadline_ms - (int64_t)clock_mono_ms();

	return r->deadline_ms < 0 ? INT64_MAX : left > 0 ? left : 0;
}

/* One request of at most a slice; 0, or -1 with *ret_status. */
static int ask(struct run *r, enum op_id op, const char *param, int *ret_status)
{
	int64_t left = left_ms(r);
	int64_t most = r->watch.look ? r->watch.every_ms : SLICE_MS;
	int64_t slice_ms = left > most ? most : left;
	char query[32];
	struct http_request q = {
		.op = op,
		.param = param,
		.query = query,
		.timeout_ms = HTTP_PATIENCE_MS + slice_ms,
	};
	struct err e;

	snprintf(query, sizeof query, "wait=%" PRId64 "ms", slice_ms);
	if (slice_ms == 0)
		q.query = NULL;
	http_response_free(&r->answer);
	if (command_ask(r->c, &q, &r->answer, ret_status) < 0)
		return -1;
	json_decref(r->operation);
	r->operation = NULL;
	if (field_parse(r->answer.body, r->answer.body_bytes, &r->operation, &e) < 0) {
		*ret_status = problem_local(&e, r->c->as_json);
		return -1;
	}
	return 0;
}

static bool is_running(const struct run *r)
{
	return !strcmp(field_text(r->operation, "state"), "running");
}

/* A server that answers at once is not asked in a tight loop. */
static void breathe(uint64_t asked_ms)
{
	struct timespec t = {0, POLL_MS * 1000000L};

	if (clock_mono_ms() - asked_ms < POLL_MS)
		nanosleep(&t, NULL);
}

static int wait_for_end(struct run *r, int *ret_status)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, field_number(r->operation, "id", 0));
	while (is_running(r) && left_ms(r) > 0) {
		uint64_t asked_ms = clock_mono_ms();

		if (r->watch.look)
			r->watch.look(r->watch.arg);
		if (ask(r, OP_operation_show, id, ret_status) < 0)
			return -1;
		if (is_running(r))
			breathe(asked_ms);
	}
	return 0;
}

static int tell_late(const struct run *r)
{
	const char *phase = field_text(r->operation, "phase");
	struct err e;

	err_set(&e, TIMEOUT, "%s '%s' has not ended within the time to wait%s%s", r->what, r->vm,
		*phase ? "; so far: " : "", phase);
	return problem_local(&e, false);
}

/* "hello: stopped in 1.2 s (killed at the deadline)" */
static void tell_done(const struct run *r)
{
	const char *phase = field_text(r->operation, "phase");
	int64_t started = age_parse(field_text(r->operation, "started"));
	int64_t ended = age_parse(field_text(r->operation, "ended"));
	char span[AGE_TEXT];

	if (r->idle && *phase && strcmp(phase, r->past) != 0 && ended == started) {
		printf("%s: %s\n", r->vm, r->idle);
		return;
	}
	printf("%s: %s", r->vm, r->past);
	if (ended > started && started >= 0)
		printf(" in %s", age_span(ended - started, span));
	if (*phase && strcmp(phase, r->past) != 0)
		printf(" (%s)", phase);
	putchar('\n');
}

static int tell(struct run *r)
{
	bool is_failed = !strcmp(field_text(r->operation, "state"), "failed");
	const json_t *problem = json_object_get(r->operation, "error");

	if (r->c->as_json) {
		field_print(r->answer.body, r->answer.body_bytes);
		if (is_failed)
			return err_exit(problem_code(field_text(problem, "type"), 500));
		return is_running(r) && r->deadline_ms > 0 ? err_exit(ERR_TIMEOUT) : 0;
	}
	if (is_failed)
		return problem_print(problem, 500, NULL);
	if (is_running(r) && r->deadline_ms > 0)
		return tell_late(r);
	if (is_running(r)) {
		printf("%s: %s is under way (operation %" PRId64 ")\n", r->vm, r->what,
		       field_number(r->operation, "id", 0));
		return 0;
	}
	tell_done(r);
	return 0;
}

int operation_run(struct command_call *c, const char *past, const char *idle)
{
	return operation_run_watched(c, past, idle, &(struct operation_watch){0});
}

int operation_run_watched(struct command_call *c, const char *past, const char *idle,
			  const struct operation_watch *w)
{
	const char *wait = command_value(c, "--wait");
	bool no_wait = command_value(c, "--no-wait") != NULL;
	__attribute__((cleanup(done))) struct run r = {.c = c,
						       .what = c->command->name,
						       .past = past,
						       .idle = idle,
						       .deadline_ms = -1,
						       .watch = *w};
	int64_t wait_ms = 0;
	struct err e;
	int status = 0;

	r.vm = command_vm(c, &status);
	if (!r.vm)
		return status;
	if (wait && age_read_span(wait, &wait_ms, &e) < 0)
		return problem_local(&e, c->as_json);
	if (wait && no_wait) {
		err_set(&e, USAGE, "--wait and --no-wait contradict each other; give one");
		return problem_local(&e, c->as_json);
	}
	if (wait)
		r.deadline_ms = (int64_t)clock_mono_ms() + wait_ms;
	else if (no_wait)
		r.deadline_ms = 0; /* over before it begins */
	if (ask(&r, c->command->op, r.vm, &status) < 0 || wait_for_end(&r, &status) < 0)
		return status;
	if (w->ret && !strcmp(field_text(r.operation, "state"), "done"))
		*w->ret = json_incref(r.operation);
	if (w->end)
		w->end(w->arg);
	return tell(&r);
}

const char *operation_verb(const char *op, char ret[static OPERATION_VERB])
{
	const char *text = op;

	for (unsigned i = 0; i < OP_COUNT; i++)
		if (!strcmp(op_table[i].id, op) && op_table[i].cli[0])
			return op_table[i].cli;
	if (!strncmp(text, "vm_", 3))
		text += 3;
	str_copy(ret, OPERATION_VERB, text);
	for (char *p = ret; *p; p++)
		if (*p == '_')
			*p = ' ';
	return ret;
}

int operation_await(struct command_call *c, const json_t *operation, int64_t deadline_ms)
{
	char verb[OPERATION_VERB];
	__attribute__((cleanup(done))) struct run r = {
		.c = c,
		.vm = field_text(operation, "vm"),
		.what = operation_verb(field_text(operation, "op"), verb),
		.deadline_ms = deadline_ms ? deadline_ms : -1,
	};
	char past[64], id[24];
	int status = 0;

	snprintf(past, sizeof past, "%s is done", r.what);
	snprintf(id, sizeof id, "%" PRId64, field_number(operation, "id", 0));
	r.past = past;
	if (ask(&r, OP_operation_show, id, &status) < 0 || wait_for_end(&r, &status) < 0)
		return status;
	return tell(&r);
}
