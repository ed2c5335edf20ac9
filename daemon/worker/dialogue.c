/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/dialogue.h"

#include <string.h>

#include "base/sandbox.h"
#include "base/str.h"
#include "daemon/worker/worker.h"

enum {
	BURST = 64,	      /* messages taken in one turn of the loop */
	FINDINGS_MAX = 10000, /* of one worker; more is a flood */
};

static int on_diagnostic(struct worker *w, const void *body, struct err *e)
{
	struct diagnostic *f = &w->finding[w->n_findings];

	if (++w->n_findings_seen > FINDINGS_MAX)
		return err_set(e, PROTOCOL, "more than %d findings", FINDINGS_MAX);
	if (w->n_findings == DIAGNOSTIC_MOST)
		return 0;
	memcpy(f, body, sizeof *f);
	diagnostic_sane(f);
	w->n_findings++;
	return 0;
}

static int on_want(struct worker *w, const void *body, struct err *e)
{
	struct msg_want *want = &w->want[w->n_wants];

	if (w->n_wants == MESSAGE_WANTS_MAX)
		return err_set(e, PROTOCOL, "more than %d wants", MESSAGE_WANTS_MAX);
	memcpy(want, body, sizeof *want);
	if (message_check_want(want, w->n_wants, e) < 0)
		return -1;
	str_printable(want->option, strlen(want->option));
	w->n_wants++;
	return 0;
}

static int on_invalid(struct worker *w, const void *body, struct err *e)
{
	memcpy(&w->invalid, body, sizeof w->invalid);
	if (w->n_findings == 0)
		return err_set(e, PROTOCOL, "INVALID without a finding");
	w->phase = WORKER_REFUSES;
	w->owner->invalid(w, w->arg);
	return 0;
}

static int on_plan(struct worker *w, const void *body, struct err *e)
{
	memcpy(&w->plan, body, sizeof w->plan);
	if (message_check_plan(&w->plan, w->n_wants, e) < 0)
		return -1;
	w->phase = WORKER_PLANNED;
	w->owner->planned(w, w->arg);
	return 0;
}

static int on_ready(struct worker *w, const void *body, struct err *e)
{
	struct msg_ready ready;

	(void)e;
	memcpy(&ready, body, sizeof ready);
	w->sandbox = ready.sandbox & SANDBOX_ALL;
	w->phase = WORKER_ENTERS;
	w->owner->ready(w, w->arg);
	return 0;
}

static int on_started(struct worker *w, const void *body, struct err *e)
{
	(void)body;
	if (w->is_held_back)
		return err_set(e, PROTOCOL, "the worker of '%s' sent STARTED of no START", w->vm);
	w->phase = WORKER_RUNS;
	w->owner->started(w, w->arg);
	return 0;
}

/* A HELD of a hold that was given up meanwhile may come late, but each only once. */
static int on_held(struct worker *w, const void *body, struct err *e)
{
	struct msg_hold m;

	memcpy(&m, body, sizeof m);
	if (w->is_adopting)
		return 0;
	if (m.serial <= w->held || m.serial > w->hold)
		return err_set(e, PROTOCOL, "the worker of '%s' sent HELD of no HOLD", w->vm);
	w->held = m.serial;
	if (worker_is_held(w))
		w->owner->held(w, w->arg);
	return 0;
}

/* Only what it was told to stand for, and once: it cannot evade its end by a fault of its choice. */
static int on_fault(struct worker *w, const void *body, struct err *e)
{
	struct msg_ended m;

	memcpy(&m, body, sizeof m);
	if (w->is_frozen && w->is_adopting)
		return 0; /* said again, for who may not have heard it */
	if (w->is_frozen || m.cause >= CAUSE_COUNT || !cause_can_freeze(m.cause) ||
	    !(w->freezes & 1u << cause_class(m.cause)))
		return err_set(e, PROTOCOL, "the worker of '%s' sent FAULT of cause %u unasked",
			       w->vm, m.cause);
	worker_sane(&m);
	w->said = m;
	w->is_frozen = true;
	worker_notice(w);
	w->owner->fault(w, w->arg);
	return 0;
}

static int on_adopted(struct worker *w, const void *body, struct err *e)
{
	struct msg_adopted m;

	memcpy(&m, body, sizeof m);
	if (!w->is_adopting || m.stage >= ADOPTED_STAGES ||
	    (w->phase == WORKER_RUNS && m.stage != ADOPTED_RUNS) ||
	    (w->is_held_back && m.stage != ADOPTED_READY))
		return err_set(e, PROTOCOL, "the worker of '%s' answers ADOPT with stage %u", w->vm,
			       m.stage);
	w->is_adopting = false;
	worker_settle(w);
	if (m.stage == ADOPTED_READY)
		w->owner->ready(w, w->arg);
	else if (m.stage == ADOPTED_RUNS && w->phase == WORKER_ENTERS)
		on_started(w, NULL, e);
	w->owner->adopted(w, w->arg);
	return 0;
}

static int on_ended(struct worker *w, const void *body, struct err *e)
{
	(void)e;
	memcpy(&w->said, body, sizeof w->said);
	w->has_said = true;
	worker_notice(w);
	w->phase = WORKER_SAID_END;
	return 0;
}

#define IN(phase) (1u << WORKER_##phase)
static const struct {
	uint32_t phases; /* in which the message may come */
	int (*take)(struct worker *w, const void *body, struct err *e);
} rules[MESSAGE_COUNT] = {
	[MESSAGE_DIAGNOSTIC] = {IN(READS), on_diagnostic},
	[MESSAGE_WANT] = {IN(READS), on_want},
	[MESSAGE_INVALID] = {IN(READS), on_invalid},
	[MESSAGE_PLAN] = {IN(READS), on_plan},
	[MESSAGE_READY] = {IN(ASSEMBLES), on_ready},
	[MESSAGE_STARTED] = {IN(ENTERS), on_started},
	[MESSAGE_HELD] = {IN(RUNS), on_held},
	[MESSAGE_FAULT] = {IN(RUNS), on_fault},
	[MESSAGE_ADOPTED] = {IN(ENTERS) | IN(RUNS), on_adopted},
	[MESSAGE_ENDED] = {IN(SAID_END) - 1, on_ended},
};

int dialogue_read(struct worker *w)
{
	struct wire_msg m;
	struct err e;
	int r = 1;

	/* Whoever is being ended is no longer listened to; its black box still speaks. */
	for (int i = 0; i < BURST && r > 0; i++) {
		if (w->fenced != CAUSE_NONE)
			return -1;
		r = wire_recv(w->link, &message_table, WIRE_FROM_WORKER, &m, &e);
		if (r <= 0)
			break;
		if (!(rules[m.hdr.type].phases & 1u << w->phase))
			r = err_set(&e, PROTOCOL, "the worker of '%s' sent %s out of turn", w->vm,
				    message_table.rule[m.hdr.type].name);
		else
			r = rules[m.hdr.type].take(w, m.body, &e);
		wire_close_fds(&m);
		if (r == 0)
			r = 1;
	}
	if (r < 0 && e.code == ERR_PROTOCOL)
		worker_fence(w, CAUSE_PROTOCOL, &e);
	return r;
}
