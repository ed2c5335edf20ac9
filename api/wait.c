/* SPDX-License-Identifier: Apache-2.0 */
#include "api/wait.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/lease.h"
#include "api/view/operation.h"
#include "api/http/request.h"
#include "base/clock.h"

struct wait {
	LIST_ENTRY(wait) link;
	struct request *request;
	int64_t operation;
	struct lease lease;
};

struct waits {
	LIST_HEAD(wait_list, wait) list;
};

struct waits *waits_new(void)
{
	struct waits *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	LIST_INIT(&w->list);
	return w;
}

void waits_free(struct waits *w)
{
	free(w);
}

static void drop(struct wait *w)
{
	lease_drop(&w->lease);
	w->request->holder = (struct request_holder){0};
	request_clear_deadline(w->request);
	http_held(w->request->api->http, -1);
	LIST_REMOVE(w, link);
	free(w);
}

static void on_forget(struct request *r, void *arg)
{
	(void)r;
	drop(arg);
}

static void answer_now(struct wait *w)
{
	struct request *r = w->request;
	int64_t operation = w->operation;
	struct err e;

	drop(w);
	if (operation_answer_now(r, operation, &e) < 0)
		request_answer_problem(r, &e, NULL);
	request_resume(r);
}

static int on_deadline(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct request *r = arg;

	(void)s;
	(void)at_us;
	answer_now(r->holder.arg);
	return 0;
}

static void fail(struct wait *w, const struct err *why)
{
	struct request *r = w->request;

	drop(w);
	request_answer_problem(r, why, NULL);
	request_resume(r);
}

static void on_end(void *arg, const struct err *why)
{
	fail(arg, why);
}

int wait_begin(struct request *r, int64_t operation, int64_t wait_ms, struct err *e)
{
	struct wait *w;

	if (http_may_hold(r->api->http, e) < 0)
		return -1;
	w = calloc(1, sizeof *w);
	if (!w)
		abort();
	*w = (struct wait){.request = r, .operation = operation};
	LIST_INSERT_HEAD(&r->api->waits->list, w, link);
	http_held(r->api->http, 1);
	r->holder = (struct request_holder){on_forget, w};
	lease_take(&w->lease, r, on_end, w);
	if (!r->is_suspended)
		request_suspend(r);
	request_set_deadline(r, clock_mono_ms() + (uint64_t)wait_ms, on_deadline);
	return 0;
}

void wait_look(struct waits *waits)
{
	struct wait *w = LIST_FIRST(&waits->list), *next;

	for (; w; w = next) {
		bool is_running = false;
		struct err unused;

		next = LIST_NEXT(w, link);
		/* A store that cannot be read is told by answer_now(). */
		if (operation_is_running(w->request->api->db, w->operation, &is_running, &unused) <
			    0 ||
		    !is_running)
			answer_now(w);
	}
}

void wait_fail_all(struct waits *waits, const struct err *why)
{
	struct wait *w;

	while ((w = LIST_FIRST(&waits->list)))
		fail(w, why);
}
