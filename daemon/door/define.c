/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define.c - the CALLs about what a VM is: check, put, delete. The configuration is checked in a
 * worker first; what is stored after it is what that worker has accepted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/vm/action.h"
#include "daemon/door/call.h"
#include "daemon/daemon.h"
#include "daemon/vm/pair.h"
#include "daemon/store/event.h"
#include "daemon/decide/lifecycle.h"
#include "daemon/decide/order.h"
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
	return c->m.has_policy ? c->m.policy : v ? v->policy : policy_default();
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

/* Rows and event of a new revision, in the open transaction. */
static int write_rows(struct call *c, struct record *row, const struct policy *p, struct err *e)
{
	bool is_new = row->id == 0;
	struct event ev =
		event_make(JOURNAL_DEFINED, row->name,
			   is_new ? "defined" : "has revision %" PRId64 " now", row->revision);

	ev.request = c->request;
	if ((is_new ? record_insert(&c->d->store, row, e) : record_update(&c->d->store, row, e)) <
	    0)
		return -1;
	if (record_add_revision(&c->d->store,
				&(struct record_revision){.vm = row->id,
							  .revision = row->revision,
							  .config = c->text,
							  .bytes = c->bytes,
							  .folder = c->m.folder,
							  .policy = p,
							  .created_ms = clock_wall_ms(),
							  .uid = c->m.caller.uid},
				e) < 0)
		return -1;
	return ledger_stage(c->d, &ev, e);
}

static int store(struct call *c, struct vm *v, int64_t *ret_revision, struct err *e)
{
	struct policy p = policy_of(c, v);
	struct record row = {.desired = DESIRED_STOPPED, .observed = OBSERVED_STOPPED};

	if (v) {
		row = v->row;
	} else {
		str_copy(row.name, sizeof row.name, c->m.vm);
		row.created_ms = row.since_ms = clock_wall_ms();
	}
	row.revision++;
	if (!p.standby[0])
		row.pair = PAIR_ACTIVE; /* it has taken itself out of its pair */
	if (ledger_begin(c->d, e) < 0)
		return -1;
	if (write_rows(c, &row, &p, e) < 0) {
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
	startup_step(c->d);
	*ret_revision = row.revision;
	return 0;
}

static void put_checked(struct call *c, const struct check_result *r)
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);
	struct msg_answer a = {.created = !v, .n_findings_more = r->n_findings_more};
	struct err e;

	check_send_findings(c, r);
	if (r->err.code) {
		a.err = r->err;
		a.created = 0;
	} else if (match(c, v, &e) < 0 || check_others(c, v, &e) < 0 ||
		   store(c, v, &a.revision, &e) < 0) {
		/* Matched once more: another PUT may have come in between. */
		a.err = e;
		a.created = 0;
	}
	call_answer(c, &a);
}

void call_vm_put(struct call *c)
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);
	struct err e;
	int same;

	if (need_text(c, &e) < 0 || match(c, v, &e) < 0 || check_others(c, v, &e) < 0 ||
	    (same = is_same(c, v, &e)) < 0)
		call_refuse(c, &e);
	else if (same)
		call_answer(c, &(struct msg_answer){.revision = v->row.revision});
	else
		check_begin(c, put_checked);
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
	if (record_delete(&c->d->store, v->row.id, e) < 0 || ledger_stage(c->d, &ev, e) < 0) {
		ledger_abort(c->d);
		return -1;
	}
	return ledger_commit(c->d, e);
}

void call_vm_delete(struct call *c)
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);
	const struct lifecycle_step *s;
	struct err e;

	if (!v) {
		call_refuse(c, (err_set(&e, NOT_FOUND, "there is no VM '%s'", c->m.vm), &e));
		return;
	}
	s = lifecycle_find(v->row.observed, VM_EVENT_DELETE, &e);
	/* Unfenced: its name would be free for a second worker beside the first. */
	if (!s || vm_must_be_fenced(v, &e) < 0 || vm_must_be_thawed(v, &e) < 0 ||
	    pair_check(c->d, c->m.vm, v, NULL, &e) < 0 || dump_must_be_over(v, &e) < 0 ||
	    match(c, v, &e) < 0 || delete (c, v, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	action_run(s, c->d, v);
	startup_step(c->d);
	call_answer(c, &(struct msg_answer){0});
}
