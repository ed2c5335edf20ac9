/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/dump.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/dumpfile.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/shutdown.h"
#include "daemon/store/event.h"
#include "daemon/store/operation.h"
#include "daemon/timer.h"
#include "daemon/worker/dumpfolder.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/life.h"
#include "daemon/worker/opener.h"
#include "daemon/worker/worker.h"

/* What is under way, each by a process but the first: nobody in the supervisor waits for a disk. */
enum dump_stage { DUMP_HOLDS, DUMP_MAKES_FILE, DUMP_WRITES, DUMP_REMOVES };

enum { LINGER_MS = 2000 }; /* that a dump which is given up waits for its disk to let go of it */

struct dump {
	struct vm *v;
	enum dump_stage stage;
	int ram_fd, box_fd, dir_fd, words; /* -1 until it is written */
	bool is_of_dead, is_of_incident;
	struct dumpfolder_job job;
	char name[DUMPFILE_NAME]; /* "" = no file of it is known to be there */
	uint64_t ram_bytes, begun_ms;
	int64_t generation, operation;
	uint64_t request;
	struct err why;		/* it is being given up for; code ERR_OK = it is not */
	struct opener *opener;	/* while it makes its file, and removes it */
	struct process process; /* while it writes */
	sd_event_source *process_source, *deadline;
};

/* --- what it is --- */

uint64_t dump_bytes(const struct vm *v)
{
	return v->dump && v->dump->is_of_dead ? v->dump->ram_bytes : 0;
}

bool dump_is_written(const struct vm *v, struct dump_progress *ret)
{
	const struct dump *x = v->dump;

	if (!x || !x->name[0] || x->stage == DUMP_REMOVES)
		return false;
	*ret = (struct dump_progress){.needed_bytes = x->job.bytes};
	str_copy(ret->folder, sizeof ret->folder, x->job.path);
	str_copy(ret->name, sizeof ret->name, x->name);
	return true;
}

static bool runs(const struct vm *v)
{
	return v->worker && v->worker->phase == WORKER_RUNS;
}

int dump_check(const struct vm *v, struct err *e)
{
	if (!runs(v))
		return err_set(e, CONFLICT, "'%s' has no guest that runs: there is nothing to dump",
			       v->row.name);
	return dump_must_be_over(v, e);
}

int dump_must_be_over(const struct vm *v, struct err *e)
{
	if (!v->dump)
		return 0;
	return err_set(e, CONFLICT,
		       "a dump of '%s' is being written already: wait for its end, which "
		       "`qvmadm events` tells",
		       v->row.name);
}

/* --- its end --- */

/* Nobody waits for it any longer: it removes what it makes, or has to remove. */
static void abandon(struct dump *x)
{
	if (x->opener)
		opener_abandon(TAKE(x->opener));
}

static void dump_free(struct dump *x)
{
	const int fds[] = {x->ram_fd, x->box_fd, x->dir_fd, x->words};

	timer_clear(&x->deadline);
	sd_event_source_disable_unref(x->process_source);
	abandon(x);
	for (size_t i = 0; i < NELEMS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(x);
}

/* Its writer has said how many bytes are on the disk. */
static void tell_done(struct dump *x, struct operation_change *c)
{
	struct vm *v = x->v;
	char path[MESSAGE_PATH + DUMPFILE_NAME], words[24] = "", size[24];
	struct event ev;

	if (read(x->words, words, sizeof words - 1) < 0)
		words[0] = '\0';
	snprintf(path, sizeof path, "%s/%s", x->job.path, x->name);
	ev = event_make(JOURNAL_DUMPED, v->row.name,
			"the guest is dumped: %.600s, %s on the disk, after %" PRIu64 " ms", path,
			str_bytes(strtoull(words, NULL, 10), size), clock_mono_ms() - x->begun_ms);
	ev.request = x->request;
	ev.operation = x->operation;
	ledger_event(v->d, &ev);
	if (x->is_of_incident)
		ledger_dump(v->d, v->row.name, x->generation, path);
	c->state = OPERATION_DONE;
	str_copy(c->phase, sizeof c->phase, path);
}

static void tell_failed(struct dump *x, struct operation_change *c, const struct err *e)
{
	struct event ev = event_make(JOURNAL_DUMP_FAILED, x->v->row.name,
				     "the guest was not dumped: %s", e->msg);

	ev.request = x->request;
	ev.operation = x->operation;
	ledger_event(x->v->d, &ev);
	c->state = OPERATION_FAILED;
	c->err = *e;
}

/* Its worker may have ended meanwhile, and another have been started. */
static void let_go(struct dump *x)
{
	struct vm *v = x->v;

	if (!x->is_of_dead && runs(v) && x->generation == v->row.generation)
		worker_release(v->worker, WORKER_HOLD_DUMP);
}

/* NULL: the file is whole. The guest goes on, or a restart that waited for this. */
static void finish(struct dump *x, const struct err *e)
{
	struct vm *v = x->v;
	struct operation_change c = {.op = OP_vm_dump, .at_ms = clock_wall_ms()};

	str_copy(c.vm, sizeof c.vm, v->row.name);
	let_go(x);
	if (e)
		tell_failed(x, &c, e);
	else
		tell_done(x, &c);
	ledger_operation(v->d, &c);
	adopt_drop(v->d, v->row.name, (uint64_t)x->generation, KEEP_TAG_DUMP);
	v->dump = NULL;
	dump_free(x);
	if (v->d->is_ending)
		shutdown_dump_over(v->d);
	else if (!v->worker && v->row.restart_at_ms)
		life_start_at(v->d, v, v->row.restart_at_ms);
}

static void finish_failed(struct dump *x)
{
	struct err why = x->why;

	finish(x, &why);
}

static void on_removed(void *arg, uint32_t i, int take_fd, const struct msg_opened *what,
		       const struct err *why)
{
	struct dump *x = arg;

	(void)i;
	(void)take_fd;
	(void)what;
	(void)why;
	/* Else it is told while it is abandoned, by somebody who ends the dump. */
	if (x->opener)
		finish_failed(x);
}

static int on_linger(sd_event_source *s, uint64_t us, void *arg);

/* It is not to be, and what there is of it not to stay. */
static void give_up(struct dump *x, const struct err *e)
{
	const struct opener_spec how = {.answered = on_removed, .arg = x};
	struct daemon *d = x->v->d;
	struct err other;

	x->why = *e;
	timer_clear(&x->deadline);
	let_go(x);
	abandon(x); /* it may have made the file just now */
	x->stage = DUMP_REMOVES;
	if (!x->name[0] ||
	    dumpfolder_remove(&d->openers, x->dir_fd, x->name, how, &x->opener, &other) < 0)
		finish_failed(x);
	else
		timer_set(d->loop, &x->deadline, LINGER_MS, on_linger, x);
}

/* The kernel lets go of neither, not even by SIGKILL; whoever waits for this dump waits no longer. */
static int on_linger(sd_event_source *s, uint64_t us, void *arg)
{
	struct dump *x = arg;
	struct err why = x->why;

	(void)s;
	(void)us;
	log_warn(&(struct log_about){.vm = x->v->row.name},
		 "the file system of '%s' does not answer: what there is of '%s' goes when it does",
		 x->job.path, x->name);
	if (x->stage == DUMP_REMOVES) {
		finish_failed(x);
		return 0;
	}
	x->process_source = sd_event_source_disable_unref(x->process_source);
	opener_stray(&x->v->d->openers, &x->process, x->ram_bytes);
	give_up(x, &why);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t us, void *arg)
{
	struct dump *x = arg;

	(void)s;
	(void)us;
	err_set(&x->why, TIMEOUT,
		"it took more than %" PRId64 " ms: raise dump_timeout_ms of the policy, or find "
		"out why %s",
		x->v->running.dump_timeout_ms,
		x->stage != DUMP_HOLDS ? "the disk is so slow" : "a vCPU does not leave its exit");
	if (x->stage != DUMP_WRITES) {
		struct err why = x->why;

		give_up(x, &why);
		return 0;
	}
	process_kill(&x->process);
	timer_set(x->v->d->loop, &x->deadline, LINGER_MS, on_linger, x);
	return 0;
}

/* --- the writer --- */

static void explain(struct dump *x, int code, int status, struct err *e)
{
	char words[ERR_MSG] = "";
	ssize_t n = read(x->words, words, sizeof words - 1);

	words[n > 0 ? n : 0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	str_printable(words, strlen(words));
	if (x->why.code)
		*e = x->why;
	else if (words[0])
		err_set(e, RESOURCE, "%s; what there was of '%s' is removed", words, x->name);
	else
		err_set(e, RESOURCE,
			"its writer ended with %s %d; what there was of '%s' is removed",
			code == CLD_EXITED ? "status" : "signal", status, x->name);
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct dump *x = arg;
	int code, status;
	struct err e;

	(void)s;
	(void)fd;
	(void)events;
	x->process_source = sd_event_source_disable_unref(x->process_source);
	process_reap(&x->process, &code, &status);
	if (code == CLD_EXITED && status == 0) {
		finish(x, NULL);
	} else {
		explain(x, code, status, &e);
		give_up(x, &e);
	}
	return 0;
}

/* Should we die now, the next supervisor removes what became of it. */
static void keep_half(const struct dump *x)
{
	struct msg_keep key = {.generation = (uint64_t)x->generation, .tag = KEEP_TAG_DUMP};

	str_copy(key.owner, sizeof key.owner, x->v->row.name);
	key.kind = KEEP_WRITER;
	keep_put(&x->v->d->keep, &key, NULL, 0, x->process.fd);
	key.kind = KEEP_UNFINISHED;
	keep_put(&x->v->d->keep, &key, x->name, strlen(x->name), x->dir_fd);
}

static int spawn(struct dump *x, int out_fd, struct err *e)
{
	static char name[] = "qvm", role[] = "--dump";
	const struct config *c = &x->v->d->config;
	const int fd[] = {x->ram_fd, x->box_fd, out_fd};
	char uid[16], program[CONFIG_PROGRAM];
	char *const argv[] = {name, role, uid, NULL};
	int words[2];

	snprintf(uid, sizeof uid, "%u", geteuid() == 0 ? vm_uid(x->v) : 0);
	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, RESOURCE, "make a pipe for the words of the dump's writer");
	x->words = words[0];
	AUTO_FD int its_words = words[1];
	if (process_spawn(&(struct process_spec){.program = config_program(c, name, program),
						 .argv = argv,
						 .fd = fd,
						 .n_fds = NELEMS(fd),
						 .words = its_words,
						 .cgroup = -1},
			  &x->process, e) < 0)
		return -1;
	x->stage = DUMP_WRITES;
	if (sd_event_add_io(x->v->d->loop, &x->process_source, x->process.fd, EPOLLIN, on_process,
			    x) < 0)
		abort(); /* out of memory: crash-only */
	keep_half(x);
	return 0;
}

/* The folder, then the file. */
static void on_made(void *arg, uint32_t i, int take_fd, const struct msg_opened *what,
		    const struct err *why)
{
	struct dump *x = arg;
	AUTO_FD int fd = take_fd;
	struct err e = why ? *why : (struct err){0};

	(void)what;
	if (!why && i == DUMPFOLDER_FOLDER) {
		x->dir_fd = TAKE_FD(fd);
		return;
	}
	if (!why && dumpfolder_name(fd, x->name, &e) == 0 && !x->why.code && spawn(x, fd, &e) == 0)
		abandon(x); /* all is told */
	else if (!x->why.code)
		give_up(x, &e);
}

/* The vCPUs stand, or are no more. */
static void begin_writing(struct dump *x)
{
	const struct opener_spec how = {.answered = on_made, .arg = x};
	struct vm *v = x->v;
	struct dumpfolder_job *j = &x->job;
	struct err e;

	*j = (struct dumpfolder_job){.config = &v->d->config,
				     .vm = v->row.name,
				     .folder_fd = v->source.dir_fd,
				     .bytes = dumpfolder_bytes(v->source.ram_fd),
				     .at_ms = clock_wall_ms()};
	if (j->folder_fd < 0)
		dumpfolder_own(j);
	else
		str_copy(j->path, sizeof j->path, v->source.folder);
	x->ram_fd = fcntl(v->source.ram_fd, F_DUPFD_CLOEXEC, 3);
	x->box_fd = fcntl(v->box_fd, F_DUPFD_CLOEXEC, 3);
	x->stage = DUMP_MAKES_FILE;
	if (x->ram_fd < 0 || x->box_fd < 0) {
		err_sys(&e, RESOURCE, "hold the memory of '%s'", v->row.name);
		give_up(x, &e);
	} else if (dumpfolder_make(&v->d->openers, j, how, &x->opener, &e) < 0) {
		give_up(x, &e);
	}
}

/* --- who asks for it --- */

static struct dump *make(struct vm *v, bool is_of_dead)
{
	struct dump *x = calloc(1, sizeof *x);

	if (!x)
		abort();
	x->v = v;
	x->ram_fd = x->box_fd = x->dir_fd = x->words = x->process.fd = -1;
	x->is_of_dead = is_of_dead;
	x->ram_bytes = v->source.ram_bytes;
	x->generation = v->row.generation;
	x->begun_ms = clock_mono_ms();
	v->dump = x;
	timer_set(v->d->loop, &x->deadline, (uint64_t)v->running.dump_timeout_ms, on_deadline, x);
	return x;
}

void dump_begin(struct vm *v, uint64_t request, int64_t operation)
{
	struct dump *x = make(v, false);

	x->request = request;
	x->operation = operation;
	if (!worker_hold(v->worker, WORKER_HOLD_DUMP))
		begin_writing(x); /* it is paused */
}

void dump_held(struct vm *v)
{
	if (v->dump && !v->dump->is_of_dead && v->dump->stage == DUMP_HOLDS)
		begin_writing(v->dump);
}

/* The box is the worker's word; of it this takes a yes, which costs a file, or a no. */
static bool is_wanted(const struct vm *v)
{
	const struct blackbox *b = v->worker && v->worker->box.box ? v->worker->box.box : NULL;

	if (!b || v->source.ram_fd < 0 || !atomic_load(&b->started_ns))
		return false;
	return atomic_load(&b->wants_dump) ||
	       (v->running.dump_on_failure && cause_is_failure(v->end.ending.cause));
}

void dump_frozen(struct vm *v)
{
	if (v->dump || !is_wanted(v))
		return;
	make(v, false)->is_of_incident = true;
	worker_hold(v->worker, WORKER_HOLD_DUMP); /* it stands already */
	begin_writing(v->dump);
}

void dump_at_end(struct vm *v)
{
	struct dump *x = v->dump;

	if (x && !x->is_of_dead && x->stage == DUMP_HOLDS) {
		/* It ended before it stood: better than the dump that was asked for. */
		x->is_of_dead = true;
		begin_writing(x);
	} else if (!x && v->worker && !v->worker->is_frozen && is_wanted(v)) {
		make(v, true)->is_of_incident = true;
		begin_writing(v->dump);
	}
	dumpsource_forget(&v->source);
}

void dump_cancel(struct vm *v)
{
	struct dump *x = v->dump;
	struct opener *remover;
	struct err e;

	if (!x)
		return;
	log_warn(&(struct log_about){.vm = v->row.name},
		 "its dump is given up: the supervisor ends");
	if (x->process_source)
		process_kill(&x->process);
	err_set(&x->why, CONFLICT, "the supervisor ends");
	if (x->stage == DUMP_MAKES_FILE)
		abandon(x);
	if (x->name[0] && x->stage != DUMP_REMOVES &&
	    dumpfolder_remove(&v->d->openers, x->dir_fd, x->name, (struct opener_spec){0}, &remover,
			      &e) == 0)
		opener_abandon(remover);
	adopt_drop(v->d, v->row.name, (uint64_t)x->generation, KEEP_TAG_DUMP);
	v->dump = NULL;
	dump_free(x);
}
