/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/decide/pair.h"
#include "daemon/store/event.h"
#include "daemon/store/operation.h"
#include "daemon/timer.h"
#include "daemon/vm/action.h"
#include "daemon/vm/life.h"
#include "daemon/vm/ready.h"
#include "daemon/worker/worker.h"

/* --- who belongs to whom --- */

struct vm *pair_primary(const struct vm *v)
{
	const struct vm_set *all = &v->d->vms;

	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->vm[i]->policy.standby, v->row.name))
			return all->vm[i];
	return NULL;
}

struct vm *pair_partner(const struct vm *v)
{
	return v->policy.standby[0] ? vm_find(&v->d->vms, v->policy.standby) : NULL;
}

static struct pair_side side_of(const struct vm *v)
{
	return (struct pair_side){.has_worker = v->worker && !v->worker->is_held_back,
				  .is_unfenced = v->is_unfenced,
				  .is_wanted = v->row.desired != DESIRED_STOPPED};
}

static struct pair_view view_of(const struct vm *primary, const struct vm *partner)
{
	return (struct pair_view){.pair = primary->row.pair,
				  .primary = side_of(primary),
				  .partner = side_of(partner)};
}

/* The pair that v is one of; false = it is in none. */
static bool find(const struct vm *v, struct vm **ret_primary, struct vm **ret_partner)
{
	struct vm *partner = pair_partner(v), *primary = partner ? NULL : pair_primary(v);

	if (!partner && !primary)
		return false;
	*ret_primary = partner ? (struct vm *)v : primary;
	*ret_partner = partner ? partner : (struct vm *)v;
	return true;
}

bool pair_is_active(const struct vm *v)
{
	struct vm *primary, *partner;

	return !find(v, &primary, &partner) ||
	       (v == primary) == pair_is_primarys(primary->row.pair);
}

bool pair_is_free(const struct vm *v)
{
	struct vm *primary, *partner;
	struct pair_view now;

	if (!find(v, &primary, &partner))
		return true;
	now = view_of(primary, partner);
	return pair_may_start(&now, v == primary);
}

int pair_may_run(const struct vm *v, struct err *e)
{
	struct vm *primary, *partner;
	struct pair_view now;

	if (!find(v, &primary, &partner))
		return 0;
	now = view_of(primary, partner);
	if (now.pair != pair_settled(now.pair))
		return err_set(e, CONFLICT,
			       "'%s' is %s: wait for its end, which `qvmadm events` tells",
			       primary->row.name,
			       now.pair == PAIR_YIELDING ? "being taken over" : "being given back");
	if (pair_may_start(&now, v == primary))
		return 0;
	if (pair_is_active(v))
		return err_set(e, CONFLICT, "the worker of '%s' has not ended yet: try again",
			       (v == primary ? partner : primary)->row.name);
	if (v == primary)
		return err_set(e, CONFLICT,
			       "'%s' has taken over from '%s' and is the active one: `qvmadm "
			       "give-back %s` makes '%s' it again",
			       partner->row.name, v->row.name, v->row.name, v->row.name);
	return err_set(e, CONFLICT,
		       "'%s' is the standby of '%s', which is the active one: `qvmadm takeover %s` "
		       "makes '%s' it",
		       v->row.name, primary->row.name, primary->row.name, v->row.name);
}

/* --- a change of roles --- */

static enum op_id op_of(enum pair p)
{
	return pair_is_primarys(p) ? OP_vm_give_back : OP_vm_takeover;
}

static void change_operation(struct daemon *d, const struct vm *primary, struct operation_change *c)
{
	c->op = op_of(primary->row.pair);
	c->at_ms = clock_wall_ms();
	str_copy(c->vm, sizeof c->vm, primary->row.name);
	ledger_operation(d, c);
}

struct vm *pair_turn(struct vm *v)
{
	struct vm *primary, *partner;

	if (!find(v, &primary, &partner) || primary->row.pair == pair_settled(primary->row.pair))
		return NULL;
	primary->row.pair = pair_settled(primary->row.pair);
	ledger_vm(v->d, primary);
	return primary;
}

void pair_turn_back(struct vm *primary, struct vm *started)
{
	if (primary)
		primary->row.pair = primary == started ? PAIR_RETURNING : PAIR_YIELDING;
}

static void call_off(struct daemon *d, struct vm *primary, const struct vm *other)
{
	struct operation_change c = {.state = OPERATION_FAILED};

	err_set(&c.err, CONFLICT, "a stop of '%s' came in between; it is the active one, stopped",
		other->row.name);
	primary->row.pair = pair_settled(primary->row.pair);
	ledger_vm(d, primary);
	change_operation(d, primary, &c);
}

static void step(struct daemon *d, struct vm *primary)
{
	struct vm *partner = pair_partner(primary), *next;
	struct operation_change c = {.state = OPERATION_RUNNING};
	struct pair_view now;

	if (!partner)
		return;
	now = view_of(primary, partner);
	next = pair_is_primarys(now.pair) ? primary : partner;
	switch (pair_next(&now)) {
	case PAIR_NOTHING: break;
	case PAIR_CALL_OFF: call_off(d, primary, next); break;
	case PAIR_START:
		if (next->restart)
			break; /* tried already, while the state cannot be written */
		snprintf(c.phase, sizeof c.phase, "starting '%s'", next->row.name);
		change_operation(d, primary, &c);
		life_start(d, next);
		break;
	}
}

/* It fell with its supervisor, or its host, and its turn comes again. */
static bool goes_on(const struct vm *v)
{
	return v->row.observed == OBSERVED_STARTING || v->turn != TURN_NONE || v->restart;
}

static struct vm *active_of(struct vm *primary)
{
	struct vm *partner = pair_partner(primary);

	return partner && !pair_is_primarys(primary->row.pair) ? partner : primary;
}

/* An operation under an earlier supervisor, of a change that is settled but for the start. */
static void end_inherited(struct daemon *d, struct vm *primary)
{
	struct vm *active = active_of(primary);
	struct operation_change c = {.state = OPERATION_FAILED};

	if (primary->row.pair != pair_settled(primary->row.pair))
		return;
	if (active->worker && active->worker->phase == WORKER_RUNS) {
		pair_note_started(d, active);
	} else if (goes_on(active)) {
		return;
	} else {
		err_set(&c.err, CONFLICT,
			"its supervisor was started anew meanwhile, and '%s' is not being started "
			"any more: ask again",
			active->row.name);
		change_operation(d, primary, &c);
	}
	primary->inherits = false;
}

static void note_inherited(void *arg, const char *vm)
{
	const struct daemon *d = arg;
	struct vm *v = vm_find(&d->vms, vm);

	if (v)
		v->inherits = true;
}

void pair_recover(struct daemon *d)
{
	struct err e;

	if (operation_changes(&d->store, note_inherited, d, &e) < 0)
		log_error(&(struct log_about){.err = &e}, "takeovers stay as they were: %s", e.msg);
	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i], *active = active_of(v);

		if (!v->inherits)
			continue;
		end_inherited(d, v);
		/* As when it was asked for, it does not wait for its turn. */
		if (!v->inherits || active->turn == TURN_NONE ||
		    !operation_is_running(&d->store, v->row.name, op_of(v->row.pair)))
			continue;
		active->turn = TURN_NONE;
		life_start_in(d, active, 0);
	}
}

void pair_step(struct daemon *d)
{
	if (d->is_ending || !d->is_recovered)
		return;
	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i], *partner = pair_partner(v);

		if (v->row.pair == PAIR_YIELDING || v->row.pair == PAIR_RETURNING)
			step(d, v);
		if (v->inherits)
			end_inherited(d, v);
		if (partner)
			ready_step(d, v, partner);
		else if ((ready_is(v) || ready_waits(v)) && !pair_primary(v))
			ready_end(d, v);
	}
}

void pair_fail_over(struct daemon *d, struct vm *primary)
{
	struct vm *partner = pair_partner(primary);
	struct operation_change undone = {.state = OPERATION_FAILED};
	struct event ev = event_make(JOURNAL_TAKEOVER, primary->row.name,
				     "its standby '%s' takes over", partner->row.name);

	err_set(&undone.err, WORKER, "'%s' fell before its guest ran: '%s' takes over again",
		primary->row.name, partner->row.name);
	change_operation(d, primary, &undone);
	primary->row.pair = PAIR_YIELDING;
	partner->row.desired = DESIRED_RUNNING;
	partner->row.restarts = 0;
	partner->history = (struct restart_history){0};
	partner->turn = TURN_NONE;
	timer_clear(&partner->restart);
	ev.cause = primary->end.ending.cause;
	ledger_event(d, &ev);
	ledger_vm(d, primary);
	ledger_vm(d, partner);
}

void pair_note_started(struct daemon *d, struct vm *v)
{
	struct operation_change c = {.state = OPERATION_DONE};
	struct vm *primary, *partner;

	if (!find(v, &primary, &partner))
		return;
	snprintf(c.phase, sizeof c.phase, "'%s' is the active one", v->row.name);
	change_operation(d, primary, &c);
}

void pair_note_failed(struct daemon *d, struct vm *v, const struct err *why)
{
	struct operation_change c = {.state = OPERATION_FAILED, .err = *why};
	struct vm *primary, *partner;

	/* What fell with an earlier supervisor is started again: pair_recover() judges. */
	if ((d->is_recovered || !goes_on(v)) && find(v, &primary, &partner) &&
	    (v == primary) == pair_is_primarys(primary->row.pair) &&
	    primary->row.pair == pair_settled(primary->row.pair))
		change_operation(d, primary, &c);
}

/* --- the verbs --- */

/* `from` ends as by a stop, `to` starts when it has gone; all of it is on the disk first. */
static int change(struct daemon *d, struct vm *primary, struct vm *from, struct vm *to,
		  const struct operation *o, int64_t *ret_operation, struct err *e)
{
	const struct lifecycle_step *s = lifecycle_find(from->row.observed, VM_EVENT_YIELD, e);
	struct record next_from = from->row, next_to = to->row;
	struct record *p = primary == from ? &next_from : &next_to;
	struct event ev = event_make(
		primary == from ? JOURNAL_TAKEOVER : JOURNAL_GIVE_BACK, primary->row.name,
		"'%s' ends, then '%s' starts and is the active one", from->row.name, to->row.name);
	struct operation_change undone = {.state = OPERATION_FAILED, .at_ms = clock_wall_ms()};
	char phase[NAME_CAP + 16];
	int64_t id;

	if (!s || hostsafe_must_not(d, e) < 0 || vm_must_be_fenced(from, e) < 0 ||
	    vm_must_be_fenced(to, e) < 0)
		return -1;
	vm_observe(&next_from, s->to, d->boot);
	next_from.desired = DESIRED_STOPPED;
	next_from.restart_at_ms = 0;
	next_to.desired = DESIRED_RUNNING;
	next_to.restarts = 0;
	p->pair = primary == from ? PAIR_YIELDING : PAIR_RETURNING;
	ev.request = o->request;
	snprintf(phase, sizeof phase, "ending '%s'", from->row.name);
	if (ledger_begin(d, e) < 0)
		return -1;
	/* Of the change before, if it is not over. */
	undone.op = op_of(primary->row.pair);
	str_copy(undone.vm, sizeof undone.vm, primary->row.name);
	err_set(&undone.err, CONFLICT, "it was called off before '%s' ran", from->row.name);
	if (operation_write(&d->store, &undone, e) < 0 ||
	    operation_insert(&d->store, o, primary->row.name, OPERATION_RUNNING, phase, &id, e) <
		    0 ||
	    record_update(&d->store, &next_from, e) < 0 ||
	    record_update(&d->store, &next_to, e) < 0 ||
	    (ev.operation = id, ledger_stage(d, &ev, e)) < 0) {
		ledger_abort(d);
		return -1;
	}
	if (ledger_commit(d, e) < 0)
		return -1;
	from->row = next_from;
	to->row = next_to;
	from->turn = to->turn = TURN_NONE;
	to->history = (struct restart_history){0};
	timer_clear(&from->restart);
	timer_clear(&to->restart);
	*ret_operation = id;
	action_run(s, d, from);
	pair_step(d);
	return 0;
}

static int nothing_to_do(struct daemon *d, const struct vm *primary, const struct vm *active,
			 const struct operation *o, int64_t *ret_operation, struct err *e)
{
	char phase[NAME_CAP + 32];

	snprintf(phase, sizeof phase, "'%s' is the active one already", active->row.name);
	if (ledger_begin(d, e) < 0)
		return -1;
	if (operation_insert(&d->store, o, primary->row.name, OPERATION_DONE, phase, ret_operation,
			     e) < 0) {
		ledger_abort(d);
		return -1;
	}
	return ledger_commit(d, e);
}

static int under_way(const struct vm *primary, struct err *e)
{
	return err_set(e, CONFLICT, "'%s' is %s already: wait for its end", primary->row.name,
		       primary->row.pair == PAIR_YIELDING ? "being taken over"
							  : "being given back");
}

static int need_partner(const struct vm *v, struct vm **ret, struct err *e)
{
	const struct vm *primary = pair_primary(v);

	*ret = pair_partner(v);
	if (*ret)
		return 0;
	if (primary)
		return err_set(e, CONFLICT, "'%s' is the standby of '%s': say it of '%s'",
			       v->row.name, primary->row.name, primary->row.name);
	err_set(e, CONFLICT, "'%s' has no standby", v->row.name);
	return err_advise(e, "qvmadm set %s standby=VM names one", v->row.name);
}

int pair_take_over(struct daemon *d, struct vm *primary, const struct operation *o,
		   int64_t *ret_operation, struct err *e)
{
	struct vm *partner;

	if (need_partner(primary, &partner, e) < 0)
		return -1;
	switch (primary->row.pair) {
	case PAIR_ACTIVE: return change(d, primary, primary, partner, o, ret_operation, e);
	case PAIR_PASSIVE: return nothing_to_do(d, primary, partner, o, ret_operation, e);
	default: return under_way(primary, e);
	}
}

int pair_give_back(struct daemon *d, struct vm *primary, const struct operation *o,
		   int64_t *ret_operation, struct err *e)
{
	struct vm *partner;

	if (need_partner(primary, &partner, e) < 0)
		return -1;
	switch (primary->row.pair) {
	case PAIR_PASSIVE: return change(d, primary, partner, primary, o, ret_operation, e);
	case PAIR_ACTIVE: return nothing_to_do(d, primary, primary, o, ret_operation, e);
	default: return under_way(primary, e);
	}
}

/* --- definitions --- */

static int check_new(const struct daemon *d, const char *name, const char *standby, struct err *e)
{
	const struct vm *partner = vm_find(&d->vms, standby), *other;

	if (!strcmp(name, standby))
		return err_set(e, INVALID,
			       "policy field 'standby': '%s' cannot stand in for itself", name);
	if (!partner)
		return err_set(e, INVALID,
			       "policy field 'standby': there is no VM '%s'; define it first",
			       standby);
	if (partner->policy.standby[0])
		return err_set(e, INVALID,
			       "policy field 'standby': '%s' has a standby of its own, '%s'; a "
			       "standby has none: %s -> %s -> %s",
			       standby, partner->policy.standby, name, standby,
			       partner->policy.standby);
	other = pair_primary(partner);
	if (other && strcmp(other->row.name, name) != 0)
		return err_set(e, CONFLICT,
			       "policy field 'standby': '%s' is the standby of '%s' already",
			       standby, other->row.name);
	if (partner->worker)
		return err_set(
			e, CONFLICT,
			"policy field 'standby': '%s' runs, a standby does not: stop it first",
			standby);
	return 0;
}

static bool is_changing(const struct vm *v)
{
	return v->row.observed == OBSERVED_STARTING || v->row.observed == OBSERVED_STOPPING;
}

int pair_check(const struct daemon *d, const char *name, const struct vm *v, const struct policy *p,
	       struct err *e)
{
	const char *standby = p ? p->standby : "";
	const struct vm *primary = v ? pair_primary(v) : NULL;
	const struct vm *partner = v ? pair_partner(v) : NULL;
	bool is_kept = v && !strcmp(v->policy.standby, standby);

	if (v && v->row.pair != PAIR_ACTIVE && !is_kept &&
	    (standby[0] || v->row.pair != PAIR_PASSIVE))
		return err_set(
			e, CONFLICT,
			"'%s' is not the active one of its pair: `qvmadm give-back %s` first", name,
			name);
	if (partner && !is_kept && (is_changing(v) || is_changing(partner)))
		return err_set(e, CONFLICT,
			       "one of '%s' and '%s' is starting or stopping: wait for its end",
			       name, partner->row.name);
	if (primary && (!p || standby[0]))
		return err_set(
			e, CONFLICT,
			"'%s' is the standby of '%s': take it out of that one's policy first", name,
			primary->row.name);
	if (!p)
		return 0;
	if (!standby[0] &&
	    (p->on_failure == REACTION_STANDBY || p->on_watchdog == REACTION_STANDBY ||
	     p->on_poweroff == REACTION_STANDBY || p->on_reboot == REACTION_STANDBY))
		return err_set(e, INVALID,
			       "a reaction of the policy is standby, but the field 'standby' names "
			       "no VM");
	if (!standby[0] && p->standby_warm)
		return err_set(e, INVALID,
			       "policy field 'standby_warm' is true, but the field 'standby' names "
			       "no VM");
	return standby[0] && !is_kept ? check_new(d, name, standby, e) : 0;
}
