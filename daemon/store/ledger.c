/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/ledger.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/hook.h"
#include "daemon/store/audit.h"
#include "daemon/store/done.h"
#include "daemon/store/event.h"
#include "daemon/door/frontdoor.h"
#include "daemon/store/incident.h"
#include "daemon/notify.h"
#include "daemon/store/operation.h"
#include "daemon/store/record.h"
#include "daemon/store/store.h"
#include "daemon/timer.h"
#include "daemon/vm/adopt.h"

enum { RETRY_MS = 1000, PRUNE_EVERY = 4096 };

enum kind { KIND_EVENT, KIND_INCIDENT, KIND_OPERATION, KIND_DUMP, KIND_AUDIT, KIND_FORGET };

struct dump_note {
	char vm[NAME_CAP];
	int64_t generation;
	char path[OPERATION_PHASE];
};

struct ledger_entry {
	struct ledger_entry *next;
	enum kind kind;
	union {
		struct event event;
		struct incident *incident;
		struct operation_change operation;
		struct dump_note dump;
		struct audit audit;
	};
};

static struct ledger_entry *append(struct daemon *d, enum kind kind)
{
	struct ledger *l = &d->ledger;
	struct ledger_entry *x = calloc(1, sizeof *x);

	if (!x)
		abort();
	x->kind = kind;
	if (l->last)
		l->last->next = x;
	else
		l->first = x;
	l->last = x;
	sd_event_source_set_enabled(l->flush, SD_EVENT_ONESHOT);
	return x;
}

static void entry_free(struct ledger_entry *x)
{
	if (x->kind == KIND_INCIDENT)
		free(x->incident);
	free(x);
}

static void drop_entries(struct ledger *l)
{
	while (l->first) {
		struct ledger_entry *x = l->first;

		l->first = x->next;
		entry_free(x);
	}
	l->last = NULL;
}

void ledger_event(struct daemon *d, const struct event *ev)
{
	append(d, KIND_EVENT)->event = *ev;
	event_log(ev);
}

int64_t ledger_incident(struct daemon *d, struct incident *take)
{
	append(d, KIND_INCIDENT)->incident = take;
	return take->id = ++d->ledger.incident;
}

void ledger_operation(struct daemon *d, const struct operation_change *c)
{
	append(d, KIND_OPERATION)->operation = *c;
}

void ledger_audit(struct daemon *d, const struct audit *a)
{
	append(d, KIND_AUDIT)->audit = *a;
}

void ledger_dump(struct daemon *d, const char *vm, int64_t generation, const char *path)
{
	struct dump_note *n = &append(d, KIND_DUMP)->dump;

	str_copy(n->vm, sizeof n->vm, vm);
	str_copy(n->path, sizeof n->path, path);
	n->generation = generation;
}

void ledger_forget(struct daemon *d, const char *vm, int64_t generation)
{
	struct dump_note *n = &append(d, KIND_FORGET)->dump;

	str_copy(n->vm, sizeof n->vm, vm);
	n->generation = generation;
}

void ledger_vm(struct daemon *d, struct vm *v)
{
	v->is_dirty = true;
	sd_event_source_set_enabled(d->ledger.flush, SD_EVENT_ONESHOT);
}

static int write_event(struct daemon *d, struct event *ev, struct err *e)
{
	struct ledger *l = &d->ledger;

	if (event_write(&d->store, ev, l->next_seq + 1, e) < 0)
		return -1;
	ev->seq = ++l->next_seq;
	return 0;
}

static int write_incident(struct daemon *d, const struct incident *i, struct err *e)
{
	const int64_t day_ms = 24 * 3600 * 1000;
	int64_t days = (int64_t)d->config.incident_days;

	if (incident_write(&d->store, i, e) < 0)
		return -1;
	return incident_prune(&d->store, i->vm, d->config.incident_keep,
			      days ? i->at_ms - days * day_ms : INT64_MIN, e);
}

static int write_entry(struct daemon *d, struct ledger_entry *x, struct err *e)
{
	switch (x->kind) {
	case KIND_EVENT: return write_event(d, &x->event, e);
	case KIND_INCIDENT: return write_incident(d, x->incident, e);
	case KIND_DUMP:
		return incident_note_dump(&d->store, x->dump.vm, x->dump.generation, x->dump.path,
					  e);
	case KIND_AUDIT: return audit_write(&d->store, &x->audit, e);
	case KIND_FORGET: return 0; /* when it is committed */
	case KIND_OPERATION: return operation_write(&d->store, &x->operation, e);
	}
	return 0;
}

/* A row that breaks a rule of the schema would stand in the way of all others for ever. */
static int write_or_skip(struct daemon *d, struct ledger_entry *x, struct err *e)
{
	if (write_entry(d, x, e) == 0)
		return 0;
	if (!store_is_defect(&d->store))
		return -1;
	log_error(&(struct log_about){.err = e},
		  "an observation is not written, it is malformed: %s", e->msg);
	return 0;
}

int ledger_begin(struct daemon *d, struct err *e)
{
	struct ledger *l = &d->ledger;

	if (store_begin(&d->store, e) < 0)
		return -1;
	l->next_seq = l->seq;
	for (struct ledger_entry *x = l->first; x; x = x->next)
		if (write_or_skip(d, x, e) < 0)
			goto undo;
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->is_dirty && record_update(&d->store, &d->vms.vm[i]->row, e) < 0)
			goto undo;
	return 0;
undo:
	ledger_abort(d);
	return -1;
}

int ledger_stage(struct daemon *d, const struct event *ev, struct err *e)
{
	struct ledger *l = &d->ledger;

	if (l->n_staged == LEDGER_STAGED)
		return err_set(e, INTERNAL, "more than %d events of one intent", LEDGER_STAGED);
	l->staged[l->n_staged] = malloc(sizeof *ev);
	if (!l->staged[l->n_staged])
		abort();
	*l->staged[l->n_staged++] = *ev;
	return write_event(d, l->staged[l->n_staged - 1], e);
}

static void settle_staged(struct daemon *d, bool is_committed)
{
	struct ledger *l = &d->ledger;

	for (unsigned i = 0; i < l->n_staged; i++) {
		if (is_committed)
			event_log(l->staged[i]);
		if (is_committed)
			hook_event(d, l->staged[i]);
		free(l->staged[i]);
	}
	l->n_staged = 0;
}

void ledger_abort(struct daemon *d)
{
	store_rollback(&d->store);
	settle_staged(d, false);
}

static void prune(struct daemon *d)
{
	struct err e;

	if (event_prune(&d->store, d->ledger.seq, &e) < 0 || operation_prune(&d->store, &e) < 0 ||
	    audit_prune(&d->store, &e) < 0 || done_prune(&d->store, &e) < 0)
		log_warn(&(struct log_about){.err = &e}, "old rows stay: %s", e.msg);
}

/* In their order; what hooks make of it is the next transaction's. */
static void tell_hooks(struct daemon *d)
{
	struct ledger_entry *done = d->ledger.first, *x;

	d->ledger.first = d->ledger.last = NULL;
	while ((x = done)) {
		done = x->next;
		if (x->kind == KIND_EVENT)
			hook_event(d, &x->event);
		entry_free(x);
	}
	settle_staged(d, true);
}

int ledger_commit(struct daemon *d, struct err *e)
{
	struct ledger *l = &d->ledger;
	int64_t before = l->seq;

	if (store_commit(&d->store, e) < 0) {
		settle_staged(d, false);
		return -1;
	}
	for (const struct ledger_entry *x = l->first; x; x = x->next)
		if (x->kind == KIND_FORGET)
			adopt_drop(d, x->dump.vm, (uint64_t)x->dump.generation, KEEP_TAG_WORKER);
	l->seq = l->next_seq;
	tell_hooks(d);
	for (size_t i = 0; i < d->vms.n; i++)
		d->vms.vm[i]->is_dirty = false;
	if (before / PRUNE_EVERY != l->seq / PRUNE_EVERY)
		prune(d);
	frontdoor_changed(d);
	notify_status(d);
	return 0;
}

int ledger_intend(struct daemon *d, const struct record *r, const struct event *ev, struct err *e)
{
	if (ledger_begin(d, e) < 0)
		return -1;
	if (record_update(&d->store, r, e) < 0 || ledger_stage(d, ev, e) < 0) {
		ledger_abort(d);
		return -1;
	}
	return ledger_commit(d, e);
}

static int on_retry(sd_event_source *s, uint64_t us, void *arg)
{
	(void)s;
	(void)us;
	ledger_flush(arg);
	return 0;
}

static bool has_dirty(const struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->is_dirty)
			return true;
	return false;
}

bool ledger_flush(struct daemon *d)
{
	struct ledger *l = &d->ledger;
	struct err e;

	if (!l->first && !has_dirty(d))
		return true;
	if (ledger_begin(d, &e) == 0 && ledger_commit(d, &e) == 0) {
		if (l->is_failing)
			log_warn(NULL, "the state can be written again; nothing was lost");
		l->is_failing = false;
		return true;
	}
	if (!l->is_failing)
		log_error(&(struct log_about){.err = &e},
			  "what happened cannot be written, is kept in memory and tried again: %s",
			  e.msg);
	l->is_failing = true;
	timer_set(d->loop, &l->retry, RETRY_MS, on_retry, d);
	return false;
}

static int on_flush(sd_event_source *s, void *arg)
{
	(void)s;
	ledger_flush(arg);
	return 0;
}

int ledger_open(struct daemon *d, struct err *e)
{
	struct ledger *l = &d->ledger;

	if (event_newest(&d->store, &l->seq, e) < 0 ||
	    incident_newest(&d->store, &l->incident, e) < 0)
		return -1;
	if (sd_event_add_defer(d->loop, &l->flush, on_flush, d) < 0 ||
	    sd_event_source_set_enabled(l->flush, SD_EVENT_OFF) < 0 ||
	    sd_event_source_set_priority(l->flush, SD_EVENT_PRIORITY_IDLE) < 0)
		return err_set(e, INTERNAL, "add the ledger to the loop");
	prune(d);
	return 0;
}

void ledger_close(struct daemon *d)
{
	if (!ledger_flush(d))
		log_error(NULL, "the last observations are in the journal only: the state could "
				"not be written to the end");
	ledger_drop(d);
}

void ledger_drop(struct daemon *d)
{
	drop_entries(&d->ledger);
	timer_clear(&d->ledger.retry);
	timer_clear(&d->ledger.flush);
}
