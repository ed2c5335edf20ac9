/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/dumps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/door/again.h"
#include "daemon/door/call.h"
#include "daemon/timer.h"
#include "daemon/vm/dump.h"
#include "daemon/worker/dumpfolder.h"
#include "daemon/worker/dumpsearch.h"
#include "schemas/absent.h"
#include "schemas/op.h"

enum { PATIENCE_MS = 5000 };

struct dumps_visit {
	struct daemon *d;
	struct dumps_visit **slot;
	struct call *call; /* NULL once answered */
	struct opener *opener;
	sd_event_source *deadline;
	/* What the opener has a copy of. */
	enum op_id op;
	char name[DUMPFILE_NAME];
	struct dumpsearch search;
};

/* In the opener. */
static int work(const void *job, uint32_t i, const int *opened, int *ret_fd, struct err *e)
{
	const struct dumps_visit *x = job;

	(void)i;
	(void)opened;
	switch (x->op) {
	case OP_dump_list: return dumpsearch_list(&x->search, ret_fd, e);
	case OP_dump_get: return dumpsearch_open(&x->search, x->name, ret_fd, e);
	default: return dumpsearch_remove(&x->search, x->name, e);
	}
}

static void visit_free(struct dumps_visit *x)
{
	timer_clear(&x->deadline);
	*x->slot = NULL;
	free(x);
}

/* Asked again with this id it is not "no such dump". A supervisor that dies before this commits is the
 * exception: the file has gone, and that is what is told then. */
static int note_removal(const struct dumps_visit *x, struct err *e)
{
	if (ledger_begin(x->d, e) < 0)
		return -1;
	if (again_note(x->call, 0, false, e) == 0)
		return ledger_commit(x->d, e);
	ledger_abort(x->d);
	return -1;
}

static void answer(struct dumps_visit *x, int fd, const struct err *why)
{
	struct call *c = x->call;
	struct err e;

	timer_clear(&x->deadline);
	if (!why && x->op == OP_dump_delete && note_removal(x, &e) < 0)
		why = &e;
	x->call = NULL;
	if (why) {
		call_refuse(c, why);
		return;
	}
	if (fd >= 0)
		frontdoor_file(x->d, c->visit, c->request, fd);
	call_answer(c, &(struct msg_answer){0});
}

static void answered(void *arg, uint32_t i, int take_fd, const struct msg_opened *opened,
		     const struct err *why)
{
	struct dumps_visit *x = arg;

	(void)i;
	(void)opened;
	answer(x, take_fd, why);
	/* The opener has a copy, and the last close may wait: it is the one that goes last. */
	if (take_fd >= 0)
		close(take_fd);
	opener_release(x->opener);
}

static void gone(void *arg)
{
	visit_free(arg);
}

static int on_deadline(sd_event_source *s, uint64_t us, void *arg)
{
	struct dumps_visit *x = arg;
	struct err e;

	(void)s;
	(void)us;
	err_set(&e, TIMEOUT,
		"the folders of the dumps of '%s' do not answer for %d s: look at the file system "
		"that they are on",
		x->search.vm, PATIENCE_MS / 1000);
	answer(x, -1, &e);
	opener_abandon(x->opener);
	visit_free(x);
	return 0;
}

static bool has_folder(const struct dumpsearch *s, const char *folder)
{
	for (unsigned i = 0; i < s->n_folders; i++)
		if (!strcmp(s->folder[i], folder))
			return true;
	return false;
}

static void add_folder(struct dumpsearch *s, const char *folder)
{
	if (s->n_folders < DUMPSEARCH_FOLDERS && !has_folder(s, folder) &&
	    str_copy(s->folder[s->n_folders], MESSAGE_PATH, folder))
		s->n_folders++;
}

/* What it named in the past is known from the dumps that are on record. */
static int add_recorded(struct daemon *d, struct dumpsearch *s, struct err *e)
{
	static const char sql[] =
		"SELECT path FROM (SELECT id, dump AS path FROM incident WHERE vm = ?1 AND dump <> "
		"'' "
		"UNION ALL SELECT id, phase FROM operation WHERE vm = ?1 AND op = 'vm_dump' AND "
		"state = 'done') GROUP BY rtrim(path, replace(path, '/', '')) ORDER BY max(id) "
		"DESC";
	struct sqlite3_stmt *q;
	int got;

	if (store_query(&d->store, sql, &STORE_TEXT(s->vm), 1, &q, e) < 0)
		return -1;
	while ((got = store_row(&d->store, q, e)) > 0) {
		char folder[MESSAGE_PATH];
		const char *path = store_text(q, 0), *slash = strrchr(path, '/');

		if (!slash || slash == path || (size_t)(slash - path) >= sizeof folder)
			continue;
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		add_folder(s, folder);
	}
	return got;
}

static int prepare(struct dumps_visit *x, struct err *e)
{
	struct dumpsearch *s = &x->search;
	struct vm *v = vm_find(&x->d->vms, x->call->m.vm);
	struct dump_progress p;
	struct dumpfolder_job own = {.config = &x->d->config, .vm = s->vm};

	if (!v)
		return absent_vm(x->call->m.vm, e);
	s->config = own.config;
	str_copy(s->vm, sizeof s->vm, v->row.name);
	dumpfolder_own(&own);
	add_folder(s, own.path);
	if (v->source.folder)
		add_folder(s, v->source.folder);
	if (!dump_is_written(v, &p))
		return add_recorded(x->d, s, e);
	add_folder(s, p.folder);
	if (!strcmp(p.name, x->name))
		return err_set(e, CONFLICT,
			       "the dump '%s' is being written still: wait for its end, which "
			       "`qvmadm dumps %s` shows",
			       x->name, v->row.name);
	str_copy(s->unfinished.name, sizeof s->unfinished.name, p.name);
	str_copy(s->unfinished.folder, sizeof s->unfinished.folder, p.folder);
	s->unfinished.needed_bytes = p.needed_bytes;
	return add_recorded(x->d, s, e);
}

static struct dumps_visit **free_slot(struct daemon *d, struct err *e)
{
	for (unsigned i = 0; i < DUMPS_MOST_AT_ONCE; i++)
		if (!d->dumps.slot[i])
			return &d->dumps.slot[i];
	err_set(e, LIMIT, "%d requests look for dumps already, no more do so at once",
		DUMPS_MOST_AT_ONCE);
	return NULL;
}

static void begin(struct call *take)
{
	struct daemon *d = take->d;
	struct err e;
	struct dumps_visit **slot = free_slot(d, &e), *x;
	struct opener_spec how;

	if (!slot) {
		call_refuse(take, &e);
		return;
	}
	x = calloc(1, sizeof *x);
	if (!x)
		abort();
	*x = (struct dumps_visit){.d = d, .slot = slot, .call = take, .op = (enum op_id)take->m.op};
	str_copy(x->name, sizeof x->name, take->m.dump);
	*slot = x;
	how = (struct opener_spec){.n = 1,
				   .work = work,
				   .job = x,
				   .finishes = x->op == OP_dump_delete,
				   .answered = answered,
				   .gone = gone,
				   .arg = x};
	if (prepare(x, &e) < 0 || opener_spawn(&d->openers, &how, &x->opener, &e) < 0) {
		answer(x, -1, &e);
		visit_free(x);
		return;
	}
	timer_set(d->loop, &x->deadline, PATIENCE_MS, on_deadline, x);
}

void call_dump_list(struct call *take)
{
	begin(take);
}

void call_dump_get(struct call *take)
{
	begin(take);
}

void call_dump_delete(struct call *take)
{
	begin(take);
}

void dumps_close(struct daemon *d)
{
	for (unsigned i = 0; i < DUMPS_MOST_AT_ONCE; i++) {
		struct dumps_visit *x = d->dumps.slot[i];

		if (!x)
			continue;
		if (x->call)
			call_drop(TAKE(x->call));
		opener_abandon(x->opener);
		visit_free(x);
	}
}
