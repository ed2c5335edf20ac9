/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define.c - the CALLs about what a VM is: check, put, patch, rollback, delete. A configuration is
 * checked in a worker first; what is stored after it is what that worker has accepted. Each change
 * makes a revision of configuration and policy together.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/vm/action.h"
#include "daemon/door/again.h"
#include "daemon/door/call.h"
#include "daemon/daemon.h"
#include "daemon/vm/dump.h"
#include "daemon/vm/pair.h"
#include "daemon/store/event.h"
#include "daemon/decide/lifecycle.h"
#include "daemon/decide/order.h"
#include "schemas/absent.h"
#include "schemas/op.h"

static int need_text(const struct call *c, struct err *e)
{
	if (c->text)
		return 0;
	return err_set(e, PROTOCOL, "%s came without a configuration", op_table[c->m.op].id);
}

static int match(const struct call *c, const struct vm *v, struct err *e)
{
	int64_t want = c->m.if_match;

	if (want == -1)
		return 0;
	if (want == 0 && v)
		return err_set(e, STALE, "'%s' exists already, at revision %" PRId64, c->m.vm,
			       v->row.revision);
	if (want > 0 && !v)
		return err_set(e, STALE, "'%s' does not exist, revision %" PRId64 " was expected",
			       c->m.vm, want);
	if (want > 0 && v->row.revision != want)
		return err_set(e, STALE, "'%s' is at revision %" PRId64 ", not %" PRId64, c->m.vm,
			       v->row.revision, want);
	return 0;
}

static struct policy policy_of(const struct call *c, const struct vm *v)
{
	struct policy p = v ? v->policy : policy_default();

	policy_take(&p, &c->m.policy, c->m.policy_fields);
	return p;
}

/* 1 = what is asked for is there already, 0 = it is not. */
static int is_same(struct call *c, const struct vm *v, struct err *e)
{
	struct policy p = policy_of(c, v);
	AUTO(record_text_free) struct record_text t = {0};

	if (!v || memcmp(&p, &v->policy, sizeof p))
		return 0;
	if (record_config(&c->d->store, v->row.id, v->row.revision, &t, e) < 0)
		return -1;
	return t.bytes == c->bytes && !memcmp(t.config, c->text, t.bytes) &&
	       !strcmp(t.folder, c->m.folder);
}

static int by_name(const void *a, const void *b)
{
	const struct order_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* What a policy says of other VMs: whoever waits for itself never starts. */
static int check_others(const struct call *c, const struct vm *v, struct err *e)
{
	AUTO_FREE struct order_member *m = startup_members(c->d);
	struct policy p = policy_of(c, v);
	size_t n = c->d->vms.n, i = 0;
	char cycle[256];

	if (!v)
		m[n++] = (struct order_member){.name = c->m.vm};
	qsort(m, n, sizeof *m, by_name);
	while (strcmp(m[i].name, c->m.vm) != 0)
		i++;
	m[i].after = p.after;
	if (!order_has_cycle(m, n, i, cycle, sizeof cycle))
		return pair_check(c->d, c->m.vm, v, &p, e);
	return err_set(e, INVALID,
		       "policy field 'after' makes a cycle, in which nobody could start: %s",
		       cycle);
}

/* What a revision changes, for the event. */
static void describe(const struct call *c, const struct vm *v, const struct record *row,
		     const struct policy *p, char *ret, size_t cap)
{
	char fields[EVENT_TEXT / 2];
	size_t n = 0;

	if (!v) {
		str_add(ret, cap, &n, "defined");
		return;
	}
	str_add(ret, cap, &n, "has revision %" PRId64 " now", row->revision);
	if (c->m.op == OP_vm_rollback)
		str_add(ret, cap, &n, ", which is revision %" PRId64 " again", c->m.revision);
	if (*policy_list(policy_changes(&v->policy, p), fields, sizeof fields))
		str_add(ret, cap, &n, "; policy: %s", fields);
}

/* Rows and event of a new revision, in the open transaction. */
static int write_rows(struct call *c, const struct vm *v, struct record *row,
		      const struct policy *p, struct err *e)
{
	char text[EVENT_TEXT];
	struct event ev;

	describe(c, v, row, p, text, sizeof text);
	ev = event_make(JOURNAL_DEFINED, row->name, "%s", text);
	ev.request = c->request;
	if ((v ? record_update(&c->d->store, row, e) : record_insert(&c->d->store, row, e)) < 0)
		return -1;
	if (record_add_revision(&c->d->store,
				&(struct record_revision){.vm = row->id,
							  .revision = row->revision,
							  .config = c->text,
							  .bytes = c->bytes,
							  .folder = c->m.folder,
							  .policy = p,
							  .created_ms = clock_wall_ms(),
							  .uid = c->m.caller.uid,
							  .identity = c->m.caller.identity,
							  .op = (enum op_id)c->m.op,
							  .restores = c->m.revision},
				e) < 0)
		return -1;
	if (again_note(c, row->revision, !v, e) < 0)
		return -1;
	return ledger_stage(c->d, &ev, e);
}

static int store(struct call *c, struct vm *v, int64_t *ret_revision, struct err *e)
{
	struct policy p = policy_of(c, v), running;
	struct record row = {.desired = DESIRED_STOPPED, .observed = OBSERVED_STOPPED};

	if (v) {
		row = v->row;
	} else {
		str_copy(row.name, sizeof row.name, c->m.vm);
		row.created_ms = row.since_ms = clock_wall_ms();
	}
	row.revision++;
	if (record_running(&c->d->store, &row, &p, &running, e) < 0)
		return -1;
	if (!p.standby[0])
		row.pair = PAIR_ACTIVE; /* it has taken itself out of its pair */
	if (ledger_begin(c->d, e) < 0)
		return -1;
	if (write_rows(c, v, &row, &p, e) < 0) {
		ledger_abort(c->d);
		return -1;
	}
	if (ledger_commit(c->d, e) < 0)
		return -1;
	if (v)
		v->row = row;
	else
		v = vm_add(&c->d->vms, c->d, &row);
	v->policy = p;
	watch_take_policy(c->d, v, &running, clock_mono_ms());
	startup_step(c->d);
	pair_step(c->d);
	*ret_revision = row.revision;
	return 0;
}

static int need_vm(const struct call *c, struct vm **ret, struct err *e)
{
	*ret = vm_find(&c->d->vms, c->m.vm);
	return *ret ? 0 : absent_vm(c->m.vm, e);
}

/* Another change may have come in between, or its end. */
static int may_store(const struct call *c, const struct vm *v, struct err *e)
{
	struct vm *found;

	if (c->m.op == OP_vm_rollback && need_vm(c, &found, e) < 0)
		return -1;
	return match(c, v, e) < 0 || check_others(c, v, e) < 0 ? -1 : 0;
}

static void put_checked(struct call *c, const struct check_result *r)
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);
	struct msg_answer a = {.created = !v, .n_findings_more = r->n_findings_more};
	struct err e;

	if (again_answered(c)) /* sent again after its API process had died, and checked twice */
		return;
	check_send_findings(c, r);
	if (r->err.code) {
		a.err = r->err;
		a.created = 0;
	} else if (may_store(c, v, &e) < 0 || store(c, v, &a.revision, &e) < 0) {
		a.err = e;
		a.created = 0;
	}
	call_answer(c, &a);
}

/*
 * Whoever asks for what is there already has been served before and may not know it, whichever
 * revision it expects (RFC 9110, 13.1.1); but what shall be new must be.
 */
static void revise(struct call *c, void (*go_on)(struct call *take))
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);
	struct err e;
	int same = c->m.if_match == 0 ? 0 : is_same(c, v, &e);

	if (same > 0)
		call_answer(c, &(struct msg_answer){.revision = v->row.revision});
	else if (same < 0 || match(c, v, &e) < 0 || check_others(c, v, &e) < 0)
		call_refuse(c, &e);
	else
		go_on(c);
}

static void check_text(struct call *take)
{
	check_begin(take, put_checked);
}

void call_vm_put(struct call *c)
{
	struct err e;

	if (need_text(c, &e) < 0)
		call_refuse(c, &e);
	else
		revise(c, check_text);
}

/* Its configuration becomes that of the call. */
static int take_config(struct call *c, const struct vm *v, int64_t revision, struct err *e)
{
	AUTO(record_text_free) struct record_text t = {0};

	if (record_config(&c->d->store, v->row.id, revision, &t, e) < 0)
		return -1;
	c->text = TAKE(t.config);
	c->bytes = t.bytes;
	memcpy(c->m.folder, t.folder, sizeof c->m.folder);
	return 0;
}

static void store_patch(struct call *c)
{
	struct msg_answer a = {0};

	if (store(c, vm_find(&c->d->vms, c->m.vm), &a.revision, &a.err) < 0)
		a.revision = 0;
	call_answer(c, &a);
}

/* The configuration is the one that has been checked before, so no worker looks at it again. */
void call_vm_patch(struct call *c)
{
	struct vm *v;
	struct err e;

	if (need_vm(c, &v, &e) < 0 || take_config(c, v, v->row.revision, &e) < 0)
		call_refuse(c, &e);
	else
		revise(c, store_patch);
}

/* What was sound then need not be now: files go, and VMs that a policy names. */
void call_vm_rollback(struct call *c)
{
	struct vm *v;
	struct err e;

	c->m.policy_fields = POLICY_ALL;
	if (need_vm(c, &v, &e) < 0 || record_kept(&c->d->store, &v->row, c->m.revision, &e) < 0 ||
	    take_config(c, v, c->m.revision, &e) < 0 ||
	    record_policy(&c->d->store, v->row.id, c->m.revision, &c->m.policy, &e) < 0)
		call_refuse(c, &e);
	else
		revise(c, check_text);
}

static void check_done(struct call *c, const struct check_result *r)
{
	struct msg_answer a = {
		.plan = r->plan, .n_findings_more = r->n_findings_more, .err = r->err};

	check_send_findings(c, r);
	if (!r->err.code)
		check_send_wants(c, r);
	call_answer(c, &a);
}

void call_check(struct call *c)
{
	struct err e;

	if (need_text(c, &e) < 0)
		call_refuse(c, &e);
	else
		check_begin(c, check_done);
}

static int delete (struct call *c, struct vm *v, struct err *e)
{
	struct event ev = event_make(JOURNAL_DELETED, v->row.name, "deleted");

	ev.request = c->request;
	if (ledger_begin(c->d, e) < 0)
		return -1;
	if (record_delete(&c->d->store, v->row.id, e) < 0 || again_note(c, 0, false, e) < 0 ||
	    ledger_stage(c->d, &ev, e) < 0) {
		ledger_abort(c->d);
		return -1;
	}
	return ledger_commit(c->d, e);
}

void call_vm_delete(struct call *c)
{
	const struct lifecycle_step *s;
	struct vm *v;
	struct err e;

	if (need_vm(c, &v, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	s = lifecycle_find(v->row.observed, VM_EVENT_DELETE, &e); /* e: of a pair, then of this */
	/* Unfenced: its name would be free for a second worker beside the first. */
	if (pair_check(c->d, c->m.vm, v, NULL, &e) < 0 || !s || vm_must_be_fenced(v, &e) < 0 ||
	    vm_must_be_thawed(v, &e) < 0 || dump_must_be_over(v, &e) < 0 || match(c, v, &e) < 0 ||
	    delete (c, v, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	action_run(s, c->d, v);
	startup_step(c->d);
	call_answer(c, &(struct msg_answer){0});
}
