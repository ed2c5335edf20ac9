/* SPDX-License-Identifier: Apache-2.0 */
#include "client/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "client/show/again.h"
#include "client/show/problem.h"
#include "client/show/term.h"

struct follower {
	struct command_call *c;
	const struct follower_source *source;
	const char *vm;
	struct screen *screen;
	long tail;
	bool is_begun;
	uint64_t generation, position; /* of the next byte wanted, once begun */
	struct again again;
};

static uint64_t header_number(const struct follower *f, const char *name)
{
	const char *value = http_header(f->c->http, name);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void write_query(const struct follower *f, char *query, size_t cap)
{
	size_t n = 0;

	str_add(query, cap, &n, "follow=1&gapless=1");
	if (f->is_begun)
		str_add(query, cap, &n, "&since=%" PRIu64 "&generation=%" PRIu64, f->position,
			f->generation);
	else if (f->tail >= 0)
		str_add(query, cap, &n, "&tail=%ld", f->tail);
}

/* An answer of n bytes has begun. One without any, of an earlier worker than the last, is of a server
 * that has not found the worker yet. */
static void go_on(struct follower *f, size_t n)
{
	uint64_t generation = header_number(f, f->source->generation);
	uint64_t position = header_number(f, f->source->position);

	if (!http_header(f->c->http, f->source->position) ||
	    (f->is_begun && n == 0 && generation < f->generation))
		return;
	if (f->is_begun && generation == f->generation && position > f->position)
		fprintf(stderr,
			"qvmadm: %" PRIu64 " bytes of the %s of '%s' came too fast and are lost\n",
			position - f->position, f->source->what, f->vm);
	f->is_begun = true;
	f->generation = generation;
	f->position = position + n;
}

/* One answer, to its end. True: there may be another. Else *ret_status. */
static bool read_once(struct follower *f, int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	size_t before = f->screen->n_shown;
	char query[96];
	struct http_request q = {
		.op = f->source->op,
		.param = f->vm,
		.query = query,
		.accept = "text/plain",
		.timeout_ms = -1,
		.ends_unread = true,
		.sink = screen_show,
		.sink_arg = f->screen,
	};
	struct err e = {0};
	int got;

	write_query(f, query, sizeof query);
	got = http_call(f->c->http, &q, &r, &e);
	go_on(f, f->screen->n_shown - before);
	*ret_status = 0;
	if (got == 0 && (r.is_stopped || http_is_success(&r))) {
		again_forget(&f->again);
		return !r.is_stopped;
	}
	if (f->is_begun && again_may(&e, r.status)) {
		if (f->screen->n_shown > before)
			again_forget(&f->again);
		again_tell(&f->again, f->source->what, f->vm);
		return true;
	}
	if (got < 0)
		*ret_status = problem_local(&e, f->c->as_json);
	else if (f->is_begun && r.status == 404)
		fprintf(stderr, "The VM %s is there no longer.\n", f->vm);
	else
		*ret_status = command_refused(f->c, &q, &r);
	return false;
}

int follower_run(struct command_call *c, const struct follower_source *source, const char *vm,
		 long tail, struct screen *screen)
{
	struct follower f = {.c = c, .source = source, .vm = vm, .screen = screen, .tail = tail};
	int status;

	while (read_once(&f, &status) && !term_is_unread(stdout, again_pause(&f.again)))
		;
	return status;
}
