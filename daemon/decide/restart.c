/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/restart.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t reaction_of(enum cause_class class, const struct policy *p)
{
	switch (class) {
	case CAUSE_CLASS_POWEROFF: return p->on_poweroff;
	case CAUSE_CLASS_REBOOT: return p->on_reboot;
	case CAUSE_CLASS_WATCHDOG: return p->on_watchdog;
	case CAUSE_CLASS_FAILURE: return p->on_failure;
	case CAUSE_CLASS_STOP: break;
	}
	return REACTION_STOP;
}

static const char *field_of(enum cause_class class)
{
	static const char *const field[] = {
		[CAUSE_CLASS_STOP] = "",
		[CAUSE_CLASS_POWEROFF] = "on_poweroff",
		[CAUSE_CLASS_REBOOT] = "on_reboot",
		[CAUSE_CLASS_WATCHDOG] = "on_watchdog",
		[CAUSE_CLASS_FAILURE] = "on_failure",
	};

	return field[class];
}

/* The first delay, doubled with each restart charged before, up to the longest wait. */
static uint64_t back_off_ms(const struct policy *p, uint32_t charged)
{
	uint64_t delay = (uint64_t)p->restart_delay_ms, most = (uint64_t)p->restart_delay_max_ms;

	for (uint32_t i = 0; i < charged && delay < most; i++)
		delay *= 2;
	return delay < most ? delay : most;
}

/* Neither is the guest's fault: no policy about failures, no charge. */
static bool is_charged(enum cause cause)
{
	return cause_is_failure(cause) && cause != CAUSE_SUPERVISOR_LOST &&
	       cause != CAUSE_HOST_LOST;
}

static void turn_window(struct restart_history *h, const struct policy *p, uint64_t now_ms)
{
	if (h->charged == 0 || now_ms - h->window_ms >= (uint64_t)p->restart_window_ms)
		*h = (struct restart_history){.window_ms = now_ms};
}

void restart_replay(struct restart_history *h, const struct policy *p, enum cause cause,
		    uint64_t at_ms)
{
	if (!is_charged(cause))
		return;
	turn_window(h, p, at_ms);
	/* More than the whole budget cannot be spent, whatever the policy was then. */
	if (h->charged < (uint64_t)p->restart_budget)
		h->charged++;
}

static struct restart_decision charge(const struct restart_case *c, struct restart_history *h)
{
	struct restart_decision d = {.verdict = RESTART_AGAIN, .is_charged = true};

	turn_window(h, c->policy, c->now_ms);
	if (h->charged >= (uint64_t)c->policy->restart_budget)
		return (struct restart_decision){.verdict = RESTART_GIVE_UP, .nth = h->charged};
	d.delay_ms = back_off_ms(c->policy, h->charged);
	d.nth = ++h->charged;
	return d;
}

/* It is prepared again, whatever the policy says of a guest's end: there was none in it. */
static struct restart_decision decide_reserve(const struct restart_case *c,
					      struct restart_history *h)
{
	if (c->cause == CAUSE_CONFIGURATION)
		return (struct restart_decision){.verdict = RESTART_SAFE};
	if (cause_is_failure(c->cause) && !is_charged(c->cause))
		return (struct restart_decision){.verdict = RESTART_AGAIN};
	return charge(c, h);
}

struct restart_decision restart_decide(const struct restart_case *c, struct restart_history *h)
{
	enum cause_class class = cause_class(c->cause);
	struct restart_decision d = {.verdict = RESTART_STOP};
	int64_t reaction;

	if (c->is_reserve)
		return decide_reserve(c, h);
	if (c->desired == DESIRED_STOPPED || class == CAUSE_CLASS_STOP)
		return d;
	if (cause_is_failure(c->cause) && !is_charged(c->cause)) {
		d.verdict = RESTART_AGAIN;
		return d;
	}
	if (c->is_frozen) {
		d.verdict = RESTART_FREEZE;
		return d;
	}
	/* The same text will be refused again; a new revision and a start are the operator's. */
	reaction = reaction_of(class, c->policy);
	if (reaction == REACTION_STANDBY && c->standby) {
		d.verdict = RESTART_TAKEOVER;
		return d;
	}
	if (c->cause == CAUSE_CONFIGURATION || reaction != REACTION_RESTART) {
		d.verdict = cause_is_failure(c->cause) ? RESTART_SAFE : RESTART_STOP;
		return d;
	}
	if (cause_is_failure(c->cause))
		return charge(c, h);
	d.verdict = RESTART_AGAIN;
	if (c->uptime_ms < RESTART_SPACING_MS)
		d.delay_ms = RESTART_SPACING_MS - c->uptime_ms;
	return d;
}

uint32_t restart_freezes(const struct policy *p)
{
	uint32_t classes = 0;

	for (uint32_t class = 0; class <= CAUSE_CLASS_FAILURE; class ++)
		if (reaction_of(class, p) == REACTION_PAUSE)
			classes |= 1u << class;
	return classes;
}

const char *restart_sentence(const struct restart_decision *d, const struct restart_case *c,
			     char *ret, size_t cap)
{
	const struct policy *p = c->policy;

	switch (d->verdict) {
	case RESTART_STOP:
		snprintf(ret, cap, "it stays stopped%s",
			 c->desired == DESIRED_STOPPED ? ", as was asked for" : "");
		break;
	case RESTART_SAFE:
		if (c->cause == CAUSE_CONFIGURATION)
			snprintf(ret, cap,
				 "it stays in its safe state: define a revision that is sound, "
				 "then %s it",
				 c->is_reserve ? "release" : "start");
		else
			snprintf(ret, cap,
				 "it stays in its safe state until `release` or `start` "
				 "(policy %s is %s%s)",
				 field_of(cause_class(c->cause)),
				 reaction_id(reaction_of(cause_class(c->cause), p)),
				 reaction_of(cause_class(c->cause), p) == REACTION_PAUSE
					 ? ", but its worker is gone and nothing is left to stand"
				 : reaction_of(cause_class(c->cause), p) == REACTION_STANDBY
					 ? ", but it has none that could take over"
					 : "");
		break;
	case RESTART_TAKEOVER:
		snprintf(
			ret, cap,
			"its standby '%s' takes over (policy %s is standby); `give-back` ends that",
			c->standby, field_of(cause_class(c->cause)));
		break;
	case RESTART_FREEZE:
		snprintf(ret, cap,
			 "its vCPUs stand to be looked at (status, map, dump) until `release`, "
			 "`kill` or `start` (policy %s is pause)",
			 field_of(cause_class(c->cause)));
		break;
	case RESTART_AGAIN:
		if (d->is_charged)
			snprintf(ret, cap,
				 "it will be %s again in %" PRIu64 " ms (restart %" PRIu32
				 " of %" PRId64 " within %" PRId64 " s)",
				 c->is_reserve ? "prepared" : "started", d->delay_ms, d->nth,
				 p->restart_budget, p->restart_window_ms / 1000);
		else if (cause_is_failure(c->cause))
			snprintf(ret, cap, "it is started again: the fault was not its own");
		else
			snprintf(ret, cap,
				 "it will be started again in %" PRIu64
				 " ms (policy %s is restart)",
				 d->delay_ms, field_of(cause_class(c->cause)));
		break;
	case RESTART_GIVE_UP:
		snprintf(ret, cap,
			 "it stays in its safe state: %" PRIu32 " of %" PRId64
			 " restarts within %" PRId64 " s are spent; find the cause, then `%s` it",
			 d->nth, p->restart_budget, p->restart_window_ms / 1000,
			 c->is_reserve ? "release" : "start");
		break;
	}
	return ret;
}
