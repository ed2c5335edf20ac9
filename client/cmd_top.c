/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/canvas.h"
#include "client/show/term.h"
#include "client/show/usage.h"

enum {
	INTERVAL_MS = 2000,
	INTERVAL_LEAST_MS = 100,
	PATIENCE_MS = 10000,
	HEAD_ROWS = 5,
	BY_SIGNAL = 128
};

struct top {
	struct command_call *c;
	enum usage_key key;
	bool is_reversed, wants_idle;
	int64_t interval_ms, times; /* 0 = without end */
	json_t *before, *now;
};

static void top_done(struct top *t)
{
	json_decref(t->before);
	json_decref(t->now);
}

/* The next answer. What was the last one becomes the one before. */
static int look(struct top *t, struct http_response *ret, struct err *e)
{
	const struct http_request q = {.op = OP_usage_list, .timeout_ms = PATIENCE_MS};
	json_t *fresh;

	if (http_call(t->c->http, &q, ret, e) < 0)
		return -1;
	if (!http_is_success(ret))
		return 1;
	if (field_parse(ret->body, ret->body_bytes, &fresh, e) < 0)
		return -1;
	json_decref(t->before);
	t->before = t->now;
	t->now = fresh;
	return 0;
}

static void print_table(struct top *t, unsigned width, size_t rows)
{
	struct usage u;

	usage_make(t->before, t->now, t->wants_idle, &u);
	usage_sort(&u, t->key, t->is_reversed);
	usage_print(&u, stdout, t->key, width, rows);
	if (rows && u.n > rows)
		printf("%s... and %zu more%s\n", term_on(stdout, TERM_DIM), u.n - rows,
		       term_off(stdout, TERM_DIM));
	else if (u.n == 0)
		printf("No VM runs; %zu are defined.%s\n", u.n_idle,
		       u.n_idle ? " -a shows them." : "");
	usage_free(&u);
}

/* --- line by line --- */

static int tell(struct top *t, const struct http_response *r, int got, const struct err *e)
{
	return got < 0 ? problem_local(e, t->c->as_json) : problem_answer(r, NULL, t->c->as_json);
}

/* Rates need two looks; the server's own words need one. */
static int run_batch(struct top *t)
{
	char iso[CLOCK_ISO], local[AGE_TEXT];
	bool needs_two = !t->c->as_json;

	for (int64_t n = 0; t->times == 0 || n < t->times + needs_two; n++) {
		AUTO_RESPONSE struct http_response r = {0};
		struct err e;
		int got;

		if (n && term_is_unread(stdout, t->interval_ms))
			return 0;
		got = look(t, &r, &e);
		if (got != 0)
			return tell(t, &r, got, &e);
		if (t->c->as_json) {
			printf("%s\n", r.body);
		} else if (n) {
			printf("%s%s\n", n > 1 ? "\n" : "",
			       age_local(clock_iso(clock_wall_ms(), iso), local));
			usage_print_host(t->now, stdout, 0);
			print_table(t, 0, 0);
		}
		if (fflush(stdout) != 0)
			return 0; /* who read it has gone */
	}
	return 0;
}

/* --- on a terminal --- */

static void draw(struct top *t, const char *trouble)
{
	unsigned width = term_width(stdout), rows = canvas_rows();

	canvas_begin();
	if (t->now) {
		usage_print_host(t->now, stdout, width);
		print_table(t, width, rows > HEAD_ROWS + 1 ? rows - HEAD_ROWS : 1);
	}
	if (*trouble)
		printf("%s%.*s%s", term_on(stdout, TERM_BAD), (int)width - 1, trouble,
		       term_off(stdout, TERM_BAD));
	else
		printf("%s%.*s%s", term_on(stdout, TERM_DIM), (int)width - 1,
		       "q quit  c cpu  m memory  e exits  u uptime  n name  r reverse  a all",
		       term_off(stdout, TERM_DIM));
	canvas_end();
}

/* False: it is the end. */
static bool take_key(struct top *t, char key)
{
	enum usage_key k = usage_key_of_letter(key);

	if (k != USAGE_KEYS)
		t->key = k;
	t->is_reversed ^= key == 'r';
	t->wants_idle ^= key == 'a';
	return key != 'q';
}

/* Keys and sizes are followed at once, with what is known. */
static bool follow(struct top *t, struct canvas *s, const char *trouble, int *ret_signal)
{
	int64_t end_ms = (int64_t)clock_mono_ms() + t->interval_ms, left;

	while ((left = end_ms - (int64_t)clock_mono_ms()) > 0) {
		char key;

		switch (canvas_wait(s, left, &key, ret_signal)) {
		case CANVAS_TIME: return true;
		case CANVAS_END: return false;
		case CANVAS_KEY:
			if (!take_key(t, key))
				return false;
			break;
		case CANVAS_SIZE: break;
		}
		draw(t, trouble);
	}
	return true;
}

static int run_screen(struct top *t)
{
	struct canvas s;
	struct err e;
	int signal = 0;

	if (canvas_open(&s, &e) < 0)
		return problem_local(&e, false);
	for (int64_t n = 0; t->times == 0 || n < t->times; n++) {
		AUTO_RESPONSE struct http_response r = {0};
		char trouble[ERR_MSG] = "";
		int got = look(t, &r, &e);

		/* A server that is away for a moment ends nothing: what was seen last stays. */
		if (got != 0 && !t->now) {
			canvas_close(&s);
			return tell(t, &r, got, &e);
		}
		if (got < 0)
			snprintf(trouble, sizeof trouble, "%s", e.msg);
		else if (got > 0)
			snprintf(trouble, sizeof trouble, "the server answers with status %ld",
				 r.status);
		draw(t, trouble);
		if (!follow(t, &s, trouble, &signal))
			break;
	}
	canvas_close(&s);
	return signal ? BY_SIGNAL + signal : 0;
}

/* --- the verb --- */

static int read_options(struct top *t, struct err *e)
{
	const char *interval = command_value(t->c, "--interval"),
		   *key = command_value(t->c, "--sort");
	const char *times = command_value(t->c, "--times");
	char *end = NULL;

	if (interval && age_read_span(interval, &t->interval_ms, e) < 0)
		return -1;
	if (t->interval_ms < INTERVAL_LEAST_MS)
		return err_set(e, USAGE, "--interval %s is too short; it must be at least %d ms",
			       interval, INTERVAL_LEAST_MS);
	if (key && (t->key = usage_key_of(key)) == USAGE_KEYS)
		return err_set(
			e, USAGE,
			"'%s' is nothing to sort by: it is one of cpu, memory, exits, name, uptime",
			key);
	if (times)
		t->times = strtoll(times, &end, 10);
	if (times && (!*times || *end || t->times < 1))
		return err_set(e, USAGE, "--times %s must be a whole number from 1", times);
	return 0;
}

static int run(struct command_call *c)
{
	bool is_batch = c->as_json || command_value(c, "--batch") || !term_is_tty(stdout);
	__attribute__((cleanup(top_done))) struct top t = {.c = c,
							   .interval_ms = INTERVAL_MS,
							   .times = c->as_json ? 1 : 0,
							   .is_reversed =
								   command_value(c, "--reverse"),
							   .wants_idle = command_value(c, "--all")};
	struct err e;

	if (read_options(&t, &e) < 0)
		return problem_local(&e, c->as_json);
	return is_batch ? run_batch(&t) : run_screen(&t);
}

static const struct command_option options[] = {
	{"--interval", "-d", "TIME", "between two looks: 500ms, 5s; without it 2s"},
	{"--sort", "-s", "KEY", "cpu, memory, exits, name or uptime; without it cpu"},
	{"--reverse", "-r", NULL, "the smallest first"},
	{"--all", "-a", NULL, "those without a worker, too"},
	{"--batch", "-b", NULL, "table after table, as it is for a file or a pipe"},
	{"--times", "-n", "N", "so many, then end"},
	{0},
};

static const struct command top = {
	.name = "top",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_usage_list,
	.help = "Shows, again and again, what VMs take: processor time in percent of one "
		"processor, by "
		"the kernel's\n"
		"account; memory that the guest has touched, of what its board has; exits a second "
		"of all vCPUs.\n"
		"\n"
		"Keys: q ends; c m e u n sort by CPU, memory, exits, uptime or name, r the other "
		"way "
		"round; a shows\n"
		"those without a worker, too.\n"
		"\n"
		"  qvmadm top\n"
		"  qvmadm top --sort exits --interval 500ms\n"
		"  qvmadm top -b -n 1 | sort -k4 -n",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(top);
