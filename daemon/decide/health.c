/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/health.h"

#include <inttypes.h>
#include <stdio.h>

void health_begin(struct health_watch *h, const struct health_sight *s, uint64_t now_ms)
{
	*h = (struct health_watch){.beat = {s->beats, now_ms},
				   .exit = {s->out_ns, now_ms},
				   .sign = {s->signs, now_ms},
				   .looked_ms = now_ms};
}

void health_anew(struct health_watch *h, uint64_t now_ms)
{
	h->beat.changed_ms = h->exit.changed_ms = h->sign.changed_ms = h->looked_ms = now_ms;
}

/* How long the value has stood, without the time in which nobody looked. */
static uint64_t quiet_ms(struct health_mark *m, uint64_t value, uint64_t away_ms, uint64_t now_ms)
{
	if (value != m->value) {
		*m = (struct health_mark){value, now_ms};
		return 0;
	}
	m->changed_ms += away_ms;
	return now_ms - m->changed_ms;
}

static enum health grade(uint64_t quiet_ms, uint64_t deadline_ms, uint64_t jitter_ms)
{
	if (quiet_ms >= deadline_ms)
		return HEALTH_FAILED;
	return quiet_ms >= deadline_ms / 2 + jitter_ms ? HEALTH_SUSPECT : HEALTH_HEALTHY;
}

/* The first that is worse than healthy explains; a later one only if it is worse still. */
static bool is_worse(const struct health_verdict *v, enum health grade)
{
	return grade != HEALTH_HEALTHY && (!v->why[0] || grade > health_overall(v));
}

static void judge_loop(struct health_verdict *v, const struct policy *p, uint64_t quiet)
{
	uint64_t deadline_ms = (uint64_t)p->heartbeat_ms * (uint64_t)p->heartbeat_misses;
	/* One missed beat is jitter, half of the permitted ones is not. */
	enum health g = grade(quiet, deadline_ms, (uint64_t)p->heartbeat_ms / 2);

	if (is_worse(v, g))
		snprintf(v->why, sizeof v->why,
			 "its worker has not beaten for %" PRIu64 " of %" PRIu64 " ms", quiet,
			 deadline_ms);
	v->worker = g;
	if (g == HEALTH_FAILED)
		v->cause = CAUSE_WORKER_HUNG;
}

static void judge_exits(struct health_verdict *v, const struct policy *p,
			const struct health_sight *s, uint64_t quiet)
{
	enum health g;

	if (!p->vcpu_stuck_ms || !s->out_ns)
		return;
	g = grade(quiet, (uint64_t)p->vcpu_stuck_ms, 0);
	if (is_worse(v, g))
		snprintf(v->why, sizeof v->why,
			 "vCPU %" PRIu32 " has been in one exit handler for %" PRIu64 " of %" PRId64
			 " ms (vcpu_stuck_ms)",
			 s->out_vcpu, quiet, p->vcpu_stuck_ms);
	if (g > v->worker)
		v->worker = g;
	if (g == HEALTH_FAILED && v->cause == CAUSE_NONE)
		v->cause = CAUSE_VCPU_STUCK;
}

static void judge_guest(struct health_verdict *v, const struct policy *p,
			const struct health_sight *s, uint64_t quiet)
{
	enum health g;

	if (!p->guest_heartbeat_ms || !s->signs)
		return;
	g = grade(quiet, (uint64_t)p->guest_heartbeat_ms, 0);
	if (is_worse(v, g))
		snprintf(v->why, sizeof v->why,
			 "its guest has given no sign of life for %" PRIu64 " of %" PRId64
			 " ms (guest_heartbeat_ms)",
			 quiet, p->guest_heartbeat_ms);
	v->guest = g;
	if (g == HEALTH_FAILED && v->cause == CAUSE_NONE)
		v->cause = CAUSE_GUEST_SILENT;
}

struct health_verdict health_judge(struct health_watch *h, const struct policy *p,
				   const struct health_sight *s, uint64_t tick_ms, uint64_t now_ms)
{
	struct health_verdict v = {.process = HEALTH_HEALTHY, .guest = HEALTH_UNKNOWN};
	uint64_t since_look_ms = now_ms - h->looked_ms;
	/* Twice the tick is a busy supervisor; more is one that was away: the clock stood still. */
	uint64_t away_ms = since_look_ms > 2 * tick_ms ? since_look_ms - tick_ms : 0;

	h->looked_ms = now_ms;
	judge_loop(&v, p, quiet_ms(&h->beat, s->beats, away_ms, now_ms));
	judge_exits(&v, p, s, quiet_ms(&h->exit, s->out_ns, away_ms, now_ms));
	/* Who stands gives no signs. */
	judge_guest(&v, p, s,
		    quiet_ms(&h->sign, s->signs, s->is_held ? since_look_ms : away_ms, now_ms));
	return v;
}

struct health_verdict health_of_end(enum cause cause, bool is_safe)
{
	struct health_verdict v = {.cause = cause};

	if (!is_safe)
		return v;
	switch (cause) {
	case CAUSE_WORKER_HUNG:
	case CAUSE_VCPU_STUCK:
	case CAUSE_PROTOCOL:
	case CAUSE_START_TIMEOUT: v.worker = HEALTH_FAILED; break;
	case CAUSE_WATCHDOG:
	case CAUSE_UNSUPPORTED:
	case CAUSE_TRIPLE_FAULT:
	case CAUSE_HALTED:
	case CAUSE_GUEST_PANIC:
	case CAUSE_GUEST_SILENT:
	case CAUSE_VDEV_REQUEST: v.guest = HEALTH_FAILED; break;
	default:
		if (cause_is_failure(cause))
			v.process = HEALTH_FAILED;
		else
			v.guest = HEALTH_FAILED;
	}
	return v;
}

enum health health_overall(const struct health_verdict *v)
{
	enum health worst = v->process;

	if (v->worker > worst)
		worst = v->worker;
	return v->guest > worst ? v->guest : worst;
}
