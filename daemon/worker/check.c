/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "daemon/door/call.h"
#include "daemon/daemon.h"
#include "daemon/decide/plan.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

enum { DEADLINE_MS = 10000, HEARTBEAT_MS = 1000 };

struct check {
	struct daemon *d;
	unsigned slot;
	struct worker *worker;
	struct call *call; /* NULL once answered */
	check_fn *done;
	uint32_t n_said; /* findings of the worker's own */
	sd_event_source *deadline;
};

/* The answer does not wait for the worker to be gone. */
static void finish(struct check *k, const struct err *e)
{
	struct worker *w = k->worker;
	struct check_result r = {0};

	timer_clear(&k->deadline);
	if (w) {
		r = (struct check_result){.finding = w->finding,
					  .n_findings = w->n_findings,
					  .n_findings_more = w->n_findings_seen - w->n_findings,
					  .want = w->want,
					  .n_wants = w->n_wants,
					  .plan = w->plan};
		worker_fence(w, CAUSE_KILLED, NULL);
	}
	if (e)
		r.err = *e;
	k->done(TAKE(k->call), &r);
}

/* What the host refuses is a finding like the worker's own. */
static void on_refused(struct worker *w, const struct msg_want *want, const struct err *why,
		       void *arg)
{
	(void)arg;
	w->n_findings_seen++;
	if (w->n_findings < DIAGNOSTIC_MOST)
		w->finding[w->n_findings++] = plan_finding(want, why);
}

/* How many errors, and the first of them, for whoever reads one line only. */
static void sum_up(const struct worker *w, struct err *e)
{
	const struct diagnostic *first = NULL;
	unsigned n = w->n_findings_seen - w->n_findings;

	for (uint32_t i = 0; i < w->n_findings; i++) {
		if (w->finding[i].severity != DIAGNOSTIC_ERROR)
			continue;
		n++;
		if (!first)
			first = &w->finding[i];
	}
	if (first && first->line)
		err_set(e, CONFIG, "the configuration has %u error%s, the first in line %u: %s", n,
			n == 1 ? "" : "s", first->line, first->what);
	else
		err_set(e, CONFIG, "the configuration has %u error%s%s%s", n, n == 1 ? "" : "s",
			first ? ": " : "", first ? first->what : "");
}

static void on_planned(struct worker *w, void *arg)
{
	struct check *k = arg;
	const struct plan p = {.config = &k->d->config,
			       .vm = w->vm,
			       .shape = &w->plan,
			       .want = w->want,
			       .n_wants = w->n_wants};
	struct err e;

	k->n_said = w->n_findings_seen;
	if (plan_judge(&p, &e) < 0 || opening_judge(w, &p, &e) < 0)
		finish(k, &e);
}

/* All that it wants has been judged. */
static void on_opened(struct worker *w, void *arg)
{
	struct check *k = arg;
	struct err e;

	if (w->n_findings_seen == k->n_said) {
		finish(k, NULL);
		return;
	}
	sum_up(w, &e);
	finish(k, &e);
}

static void on_invalid(struct worker *w, void *arg)
{
	struct err e;

	sum_up(w, &e);
	finish(arg, &e);
}

static void on_started(struct worker *w, void *arg)
{
	(void)w;
	(void)arg; /* never granted, so never ready nor started */
}

/* The worker ended before it had answered. What it said of that keeps its origin. */
static void explain_loss(struct worker *w, struct err *e)
{
	char words[160];

	worker_words(w, words, sizeof words);
	words[strcspn(words, "\n")] = '\0';
	if (!w->why.code) {
		err_set(e, WORKER, "the worker that checked it ended: %s%s%s",
			cause_sentence(w->ending.cause), words[0] ? "; it said: " : "", words);
		return;
	}
	*e = w->why;
	snprintf(e->msg, sizeof e->msg, "the worker that checked it ended: %.250s", w->why.msg);
}

static void on_ended(struct worker *w, void *arg)
{
	struct check *k = arg;
	struct daemon *d = k->d;
	struct err e;

	if (k->call) {
		explain_loss(w, &e);
		finish(k, &e);
	}
	d->checks.slot[k->slot] = NULL;
	worker_free(w);
	free(k);
	if (d->is_ending)
		daemon_check_end(d);
}

static const struct worker_owner owner = {
	.planned = on_planned,
	.refused = on_refused,
	.opened = on_opened,
	.invalid = on_invalid,
	.ready = on_started,
	.started = on_started,
	.ended = on_ended,
};

static int on_deadline(sd_event_source *s, uint64_t us, void *arg)
{
	struct check *k = arg;
	const struct msg_want *at = opening_pending(k->worker);
	struct err e;

	(void)s;
	(void)us;
	if (at)
		err_set(&e, TIMEOUT,
			"line %u (%s): '%.200s' does not answer for %d s: look at the file system "
			"it is on",
			at->line, at->option, at->path, DEADLINE_MS / 1000);
	else
		err_set(&e, TIMEOUT, "the check was not done after %d s", DEADLINE_MS / 1000);
	finish(k, &e);
	return 0;
}

static int free_slot(const struct daemon *d)
{
	for (int i = 0; i < CHECK_MOST; i++)
		if (!d->checks.slot[i])
			return i;
	return -1;
}

void check_begin(struct call *c, check_fn *done)
{
	struct daemon *d = c->d;
	const struct policy policy = policy_default();
	int slot = free_slot(d);
	struct check *k;
	char folder[24];
	struct err e;

	if (slot < 0) {
		err_set(&e, LIMIT, "%d checks are under way, no more are made at once", CHECK_MOST);
		call_refuse(c, &e);
		return;
	}
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	*k = (struct check){.d = d, .slot = (unsigned)slot, .call = c, .done = done};
	snprintf(folder, sizeof folder, "check-%d", slot);
	if (worker_spawn(d,
			 &(struct worker_spec){.vm = c->m.vm,
					       .cgroup = folder,
					       .policy = &policy,
					       .uid = d->config.uid_base + 1 + (uint32_t)slot,
					       .config = c->text,
					       .bytes = c->bytes,
					       .folder = c->m.folder,
					       .heartbeat_ms = HEARTBEAT_MS,
					       .owner = &owner,
					       .arg = k},
			 &k->worker, &e) < 0) {
		finish(k, &e);
		free(k);
		return;
	}
	d->checks.slot[slot] = k;
	timer_set(d->loop, &k->deadline, DEADLINE_MS, on_deadline, k);
}

void check_send_findings(const struct call *c, const struct check_result *r)
{
	for (uint32_t i = 0; i < r->n_findings; i++)
		frontdoor_answer(c->d, c->visit, MESSAGE_ANSWER_FINDING, c->request,
				 &r->finding[i]);
}

void check_send_wants(const struct call *c, const struct check_result *r)
{
	for (uint32_t i = 0; i < r->n_wants; i++)
		frontdoor_answer(c->d, c->visit, MESSAGE_ANSWER_WANT, c->request, &r->want[i]);
}

bool check_end_all(struct daemon *d)
{
	bool none = true;

	for (int i = 0; i < CHECK_MOST; i++) {
		if (!d->checks.slot[i])
			continue;
		worker_fence(d->checks.slot[i]->worker, CAUSE_HOST_SHUTDOWN, NULL);
		none = false;
	}
	return none;
}
