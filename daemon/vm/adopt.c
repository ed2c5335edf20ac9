/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/adopt.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/keep/recall.h"
#include "daemon/store/event.h"
#include "daemon/vm/life.h"
#include "daemon/worker/dumpfolder.h"
#include "daemon/worker/opener.h"
#include "daemon/worker/worker.h"

/* --- what is kept --- */

void adopt_keep(struct vm *v)
{
	const struct worker *w = v->worker;
	struct keep *k = &v->d->keep;
	struct msg_keep key = {.generation = (uint64_t)v->row.generation};

	if (!w || w->phase < WORKER_ENTERS)
		return;
	str_copy(key.owner, sizeof key.owner, v->row.name);
	const struct {
		enum keep_kind kind;
		int fd;
		const void *note;
		size_t bytes;
	} item[] = {
		{KEEP_PROCESS, w->process.fd, NULL, 0},
		{KEEP_WORDS, w->words, NULL, 0},
		{KEEP_BOX, w->box_fd, NULL, 0},
		{KEEP_RAM, v->source.ram_fd, NULL, 0},
		{KEEP_DUMPS, v->source.dir_fd, v->source.folder,
		 v->source.folder ? strlen(v->source.folder) : 0},
		/* Last: where this is, all is. */
		{KEEP_LINK, w->link, &w->note, sizeof w->note},
	};
	late_keep(&w->late, k, v->row.name, key.generation);
	for (size_t i = 0; i < NELEMS(item); i++) {
		key.kind = item[i].kind;
		key.orphan_ms = key.kind == KEEP_LINK ? (uint32_t)v->running.orphan_timeout_ms : 0;
		keep_put(k, &key, item[i].note, item[i].bytes, item[i].fd);
	}
}

void adopt_drop(struct daemon *d, const char *vm, uint64_t generation, uint64_t tag)
{
	struct msg_drop what = {.generation = generation, .tag = tag};

	str_copy(what.owner, sizeof what.owner, vm);
	keep_drop(&d->keep, &what);
}

/* --- what is there --- */

static struct kept *find(const struct vm *v, struct recall *r, enum keep_kind kind)
{
	return recall_find(r, v->row.name, (uint64_t)v->row.generation, kind, 0);
}

static int take(const struct vm *v, struct recall *r, enum keep_kind kind)
{
	return recall_take(r, v->row.name, (uint64_t)v->row.generation, kind, 0);
}

static struct note_worker read_note(const struct kept *link)
{
	struct note_worker n;

	memcpy(&n, link->m.note, sizeof n);
	n.build[sizeof n.build - 1] = '\0';
	n.cgroup[sizeof n.cgroup - 1] = '\0';
	str_printable(n.build, strlen(n.build));
	return n;
}

/* The next supervisor would find a wrong process behind a number; a pidfd cannot lie. */
enum reconcile_worker adopt_look(struct vm *v, struct recall *r)
{
	const struct kept *link = find(v, r, KEEP_LINK);
	struct process p;
	struct err e;

	if (link && find(v, r, KEEP_PROCESS))
		return read_note(link).dialogue == message_fingerprint() ? RECONCILE_KEPT
									 : RECONCILE_FOREIGN;
	if (v->row.pid <= 0 || v->row.pid > INT32_MAX || strcmp(v->row.boot, v->d->boot) != 0)
		return RECONCILE_GONE;
	switch (process_find((pid_t)v->row.pid, v->row.pid_start, &p, &e)) {
	case 1: close(p.fd); return RECONCILE_FOREIGN;
	case 0: return RECONCILE_GONE;
	default:
		v->is_unfenced = true;
		log_error((&(struct log_about){.vm = v->row.name, .err = &e}),
			  "its earlier worker cannot be held: %s", e.msg);
		return RECONCILE_GONE;
	}
}

/* --- going on --- */

static void take_source(struct vm *v, struct recall *r, const struct note_worker *n)
{
	const struct kept *dumps = find(v, r, KEEP_DUMPS);

	v->source.ram_fd = take(v, r, KEEP_RAM);
	v->source.ram_bytes = n->ram_bytes;
	if (!dumps)
		return;
	v->source.folder = strndup((const char *)dumps->m.note, KEEP_NOTE - 1);
	if (!v->source.folder)
		abort();
	v->source.dir_fd = take(v, r, KEEP_DUMPS);
}

static bool has_entered(int box_fd)
{
	struct blackbox_map box;
	struct err e;
	bool has = false;

	if (box_fd >= 0 && blackbox_map_reader(box_fd, &box, &e) == 0) {
		has = atomic_load(&box.box->started_ns) != 0;
		blackbox_unmap(&box);
	}
	return has;
}

/* Nothing was kept of it: there is its number, and that it is the same process. */
static bool take_by_number(struct vm *v, struct worker_legacy *ret)
{
	struct err e;

	return process_find((pid_t)v->row.pid, v->row.pid_start, &ret->process, &e) == 1;
}

static void leave_alone(struct vm *v, const char *why)
{
	const struct health_verdict unknown = {.why = "nobody can talk to its worker"};
	struct event ev = event_make(JOURNAL_LEFT_ALONE, v->row.name,
				     "its worker, process %" PRId64
				     ", runs on and cannot be talked to: %s; it is left "
				     "running until it ends or you `kill` it",
				     v->row.pid, why);

	record_health(&v->row, &unknown);
	ledger_event(v->d, &ev);
	ledger_vm(v->d, v);
}

void adopt_take(struct vm *v, struct recall *r)
{
	struct kept *link = find(v, r, KEEP_LINK);
	struct note_worker n = link ? read_note(link) : (struct note_worker){0};
	struct worker_legacy legacy = {
		.vm = v->row.name,
		.cgroup = n.cgroup,
		.plan = n.plan,
		.sandbox = n.sandbox,
		.is_foreign = n.dialogue != message_fingerprint(),
		.holders = v->row.observed == OBSERVED_PAUSED ? WORKER_HOLD_PAUSE
			   : v->row.observed == OBSERVED_SAFE ? WORKER_HOLD_FAULT
							      : 0,
		.is_held_back = v->row.observed == OBSERVED_READY,
		.freezes = restart_freezes(&v->running),
		.home = v->row.cgroup,
		.owner = &life_owner,
		.arg = v};
	char why[96];

	if (link) {
		legacy.process = (struct process){
			.pid = n.pid, .start = n.pid_start, .fd = take(v, r, KEEP_PROCESS)};
		take_source(v, r, &n);
	} else if (!take_by_number(v, &legacy)) {
		return;
	}
	legacy.link = take(v, r, KEEP_LINK);
	legacy.words = take(v, r, KEEP_WORDS);
	legacy.box_fd = take(v, r, KEEP_BOX);
	legacy.runs = v->row.observed != OBSERVED_STARTING && !legacy.is_held_back &&
		      (v->row.observed != OBSERVED_STOPPING || has_entered(legacy.box_fd));
	if (legacy.box_fd >= 0)
		v->box_fd = fcntl(legacy.box_fd, F_DUPFD_CLOEXEC, 3);
	v->spawned_ms = clock_mono_ms() - (uint64_t)(clock_wall_ms() - v->row.since_ms);
	v->row.pid = legacy.process.pid;
	v->row.pid_start = legacy.process.start;
	ledger_vm(v->d, v);
	v->worker = worker_adopt(v->d, &legacy);
	v->worker->note = n;
	if (legacy.is_held_back || v->row.observed == OBSERVED_STARTING)
		late_recall(&v->worker->late, r, v->row.name, (uint64_t)v->row.generation);
	life_resume(v->d, v);
	if (!legacy.is_foreign || process_has_ended(&v->worker->process))
		return;
	snprintf(why, sizeof why,
		 link ? "qvmd %.31s started it, this is " QVM_VERSION
		      : "what the keeper held of it is lost",
		 n.build);
	leave_alone(v, why);
}

void adopt_tell(struct vm *v)
{
	struct event ev =
		event_make(JOURNAL_ADOPTED, v->row.name, "%s, process %d; it is supervised again",
			   v->worker->is_held_back ? "it stood ready" : "the guest ran on",
			   v->worker->process.pid);

	ledger_event(v->d, &ev);
}

/* --- what is left --- */

static bool is_of(const struct kept *k, const struct kept *link)
{
	return !strcmp(k->m.owner, link->m.owner) && k->m.generation == link->m.generation;
}

/* A worker whose end was written before the keeper heard of it; or of a VM that is in no row. */
static void sift_worker(struct daemon *d, struct kept *link, struct recall *r)
{
	const char *vm = link->m.owner;
	struct process p = {.fd = recall_take(r, vm, link->m.generation, KEEP_PROCESS, 0)};
	bool is_alive = p.fd >= 0 && !process_has_ended(&p);

	if (is_alive && !vm_find(&d->vms, vm)) {
		log_error(
			&(struct log_about){.vm = vm},
			"a worker of '%s' runs, process %d, and no such VM is defined here: it is "
			"left running",
			vm, read_note(link).pid);
		for (size_t i = 0; i < r->n; i++)
			r->kept[i].is_spared = r->kept[i].is_spared || is_of(&r->kept[i], link);
	} else {
		process_kill(&p);
		adopt_drop(d, vm, link->m.generation, KEEP_TAG_WORKER);
	}
	if (p.fd >= 0)
		close(p.fd);
}

/* A dump that the last supervisor had begun: the half of it is worse than none. */
static void sift_dumps(struct daemon *d, struct recall *r)
{
	struct opener *remover;
	struct kept *k;
	struct err e;
	size_t at = 0;

	while ((k = recall_next(r, KEEP_WRITER, &at)))
		process_kill(&(struct process){.fd = k->fd});
	for (at = 0; (k = recall_next(r, KEEP_UNFINISHED, &at));) {
		k->m.note[KEEP_NOTE - 1] = '\0';
		if (dumpfolder_remove(&d->openers, k->fd, (const char *)k->m.note,
				      (struct opener_spec){0}, &remover, &e) == 0)
			opener_abandon(remover);
		else
			log_warn((&(struct log_about){.vm = k->m.owner, .err = &e}),
				 "the half of a dump, '%s', stays: %s", (const char *)k->m.note,
				 e.msg);
	}
}

void adopt_sift(struct daemon *d, struct recall *r)
{
	struct kept *k;
	size_t at = 0;

	while ((k = recall_next(r, KEEP_LINK, &at)))
		sift_worker(d, k, r);
	sift_dumps(d, r);
	for (size_t i = 0; i < r->n; i++) {
		k = &r->kept[i];
		if (k->fd < 0 || k->is_spared || k->m.kind >= KEEP_COUNT)
			continue; /* the last: of a newer supervisor, which may come back */
		struct msg_drop what = {
			.kind = k->m.kind, .generation = k->m.generation, .tag = k->m.tag};

		str_copy(what.owner, sizeof what.owner, k->m.owner);
		keep_drop(&d->keep, &what);
	}
}
