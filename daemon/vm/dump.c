/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/dump.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/dumpfile.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/store/operation.h"
#include "daemon/timer.h"
#include "daemon/worker/dumpfolder.h"
#include "daemon/vm/adopt.h"
#include "daemon/vm/life.h"
#include "daemon/worker/resource.h"
#include "daemon/worker/worker.h"

/* What is under way, each by a process but the first: nobody in the supervisor waits for a disk. */
enum dump_stage { DUMP_HOLDS, DUMP_PRUNES, DUMP_WRITES, DUMP_REMOVES };

struct dump {
	struct vm *v;
	enum dump_stage stage;
	int ram_fd, box_fd, dir_fd, words; /* -1 until it is written */
	bool is_own_folder;		   /* the supervisor's, beside its state */
	bool is_of_dead, is_of_incident;
	char folder[MESSAGE_PATH], name[DUMPFILE_NAME];
	uint64_t ram_bytes, begun_ms;
	int64_t generation, operation;
	uint64_t request;
	struct err why; /* it is being given up for; code ERR_OK = it is not */
	struct process process;
	sd_event_source *process_source, *deadline;
};

/* --- what it is made of --- */

static int keep_folder(struct dump_source *s, const char *path, int *fd, struct err *e)
{
	AUTO_FD int folder = *fd;

	*fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(e, RESOURCE, "open '/dev/null'");
	if (s->dir_fd >= 0)
		return 0;
	s->dir_fd = TAKE_FD(folder);
	s->folder = strdup(path);
	if (!s->folder)
		abort();
	return 0;
}

int dump_keep(struct vm *v, const struct worker *w, int *grant, struct err *e)
{
	dump_forget(v);
	for (uint32_t i = 0; i < w->n_wants; i++) {
		const struct msg_want *want = &w->want[i];

		if (want->kind == WANT_DUMP &&
		    keep_folder(&v->source, want->path, &grant[i], e) < 0)
			return -1;
		if (want->kind != WANT_RAM)
			continue;
		v->source.ram_bytes = want->bytes;
		if (resource_reopen(grant[i], O_RDONLY, &v->source.ram_fd, e) < 0)
			return -1;
	}
	return 0;
}

void dump_forget(struct vm *v)
{
	if (v->source.ram_fd >= 0)
		close(v->source.ram_fd);
	if (v->source.dir_fd >= 0)
		close(v->source.dir_fd);
	free(v->source.folder);
	v->source = (struct dump_source){.ram_fd = -1, .dir_fd = -1};
}

uint64_t dump_bytes(const struct vm *v)
{
	return v->dump && v->dump->is_of_dead ? v->dump->ram_bytes : 0;
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

static void dump_free(struct dump *x)
{
	const int fds[] = {x->ram_fd, x->box_fd, x->dir_fd, x->words};

	timer_clear(&x->deadline);
	sd_event_source_disable_unref(x->process_source);
	for (size_t i = 0; i < NELEMS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(x);
}

static void tell_done(struct dump *x, struct operation_change *c)
{
	struct vm *v = x->v;
	char path[MESSAGE_PATH + DUMPFILE_NAME], size[24];
	struct stat st = {0};
	struct event ev;

	fstatat(x->dir_fd, x->name, &st, AT_SYMLINK_NOFOLLOW);
	snprintf(path, sizeof path, "%s/%s", x->folder, x->name);
	ev = event_make(JOURNAL_DUMPED, v->row.name,
			"the guest is dumped: %.600s, %s on the disk, after %" PRIu64 " ms", path,
			str_bytes((uint64_t)st.st_blocks * 512, size),
			clock_mono_ms() - x->begun_ms);
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
	if (!v->worker && v->row.restart_at_ms && !v->d->is_ending)
		life_start_at(v->d, v, v->row.restart_at_ms);
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg);
static void write_down(struct dump *x);

static void await(struct dump *x, enum dump_stage stage)
{
	x->stage = stage;
	if (sd_event_add_io(x->v->d->loop, &x->process_source, x->process.fd, EPOLLIN, on_process,
			    x) < 0)
		abort(); /* out of memory: crash-only */
}

/* It is not to be, and what there is of it not to stay. */
static void give_up(struct dump *x, const struct err *e)
{
	struct err why = *e, other;

	x->why = why;
	timer_clear(&x->deadline);
	let_go(x);
	if (!x->name[0] || dumpfolder_remove(x->dir_fd, x->name, &x->process, &other) < 0)
		finish(x, &why);
	else
		await(x, DUMP_REMOVES);
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
	if (x->stage != DUMP_HOLDS)
		process_kill(&x->process);
	else
		give_up(x, &x->why);
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
	if (x->stage == DUMP_REMOVES) {
		e = x->why;
		finish(x, &e);
	} else if (x->stage == DUMP_PRUNES && !x->why.code) {
		write_down(x);
	} else if (x->stage == DUMP_WRITES && code == CLD_EXITED && status == 0) {
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
	await(x, DUMP_WRITES);
	keep_half(x);
	return 0;
}

static int open_folder(struct dump *x, struct err *e)
{
	struct vm *v = x->v;

	if (v->source.dir_fd >= 0) {
		x->dir_fd = fcntl(v->source.dir_fd, F_DUPFD_CLOEXEC, 3);
		str_copy(x->folder, sizeof x->folder, v->source.folder);
		return x->dir_fd < 0 ? err_sys(e, RESOURCE, "hold the folder '%s'", x->folder) : 0;
	}
	x->is_own_folder = true;
	return dumpfolder_make(&v->d->config, v->row.name, x->folder, sizeof x->folder, &x->dir_fd,
			       e);
}

/* There is as much room as there will be. */
static void write_down(struct dump *x)
{
	AUTO_FD int out = -1;
	struct err e;

	if ((x->is_own_folder && dumpfolder_has_room(x->dir_fd, x->folder, x->ram_fd, &e) < 0) ||
	    dumpfile_create(x->dir_fd, x->v->row.name, clock_wall_ms(), x->name, &out, &e) < 0 ||
	    spawn(x, out, &e) < 0)
		give_up(x, &e);
}

/* The vCPUs stand, or are no more. */
static void begin_writing(struct dump *x)
{
	struct vm *v = x->v;
	struct err e;

	x->ram_fd = fcntl(v->source.ram_fd, F_DUPFD_CLOEXEC, 3);
	x->box_fd = fcntl(v->box_fd, F_DUPFD_CLOEXEC, 3);
	if (x->ram_fd < 0 || x->box_fd < 0) {
		err_sys(&e, RESOURCE, "hold the memory of '%s'", v->row.name);
		give_up(x, &e);
	} else if (open_folder(x, &e) < 0 || dumpfolder_prune(x->dir_fd, v->row.name, &v->d->config,
							      x->ram_fd, &x->process, &e) < 0) {
		give_up(x, &e);
	} else {
		await(x, DUMP_PRUNES);
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
	dump_forget(v);
}

void dump_cancel(struct vm *v)
{
	struct dump *x = v->dump;
	struct process remover;
	struct err e;

	if (!x)
		return;
	log_warn(&(struct log_about){.vm = v->row.name},
		 "its dump is given up: the supervisor ends");
	if (x->process_source)
		process_kill(&x->process);
	if (x->name[0] && x->stage != DUMP_REMOVES &&
	    dumpfolder_remove(x->dir_fd, x->name, &remover, &e) == 0)
		close(remover.fd); /* its end is nobody's to wait for any more */
	adopt_drop(v->d, v->row.name, (uint64_t)x->generation, KEEP_TAG_DUMP);
	v->dump = NULL;
	dump_free(x);
}
