/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/alone.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "schemas/message.h"
#include "vmm/worker/arguments.h"
#include "vmm/worker/dumper.h"
#include "vmm/conf/board.h"
#include "vmm/conf/diagnostic.h"
#include "vmm/conf/plan.h"
#include "vmm/machine/schedule.h"
#include "vmm/worker/host.h"
#include "vmm/worker/life.h"
#include "vmm/worker/probe.h"
#include "vmm/worker/report.h"
#include "vmm/worker/status.h"
#include "vmm/worker/terminal.h"
#include "vmm/vdev/vdev.h"

/* What the sandbox leaves: as under the supervisor. Of threads, the user's own limit. */
enum { FDS_MOST = 2 * BLACKBOX_MAX_VCPUS + MESSAGE_WANTS_MAX + 64 };

/* A uid that nobody else has, for a worker that root starts: beyond what systems give out. */
enum { UID_BASE = 0x70000000 };

/* Nobody reads its black box, but a dead guest is noticed at a heartbeat. */
enum { HEARTBEAT_MS = 500 };

struct alone {
	struct arguments arguments;
	struct life life;
	struct diagnostic *finding;
	unsigned n_findings, n_errors, n_warnings;
	enum cause refusal; /* why there is no board */
	struct dumper dumper;
	int signal_fd;
	int door_fd;	       /* epoll of the signals and the dumper: readable, never waited on */
	bool is_dumping;       /* from the hold to the helper's answer */
	bool is_asked_to_stop; /* a second SIGTERM or SIGINT ends it */
};

static void keep(void *arg, const struct diagnostic *d)
{
	struct alone *a = arg;

	/* conf reports at most DIAGNOSTIC_MOST, arguments one a word: both are bounded by the user */
	a->finding = reallocarray(a->finding, a->n_findings + 1, sizeof *a->finding);
	if (!a->finding)
		abort();
	a->finding[a->n_findings++] = *d;
}

static const char *environment(const char *name)
{
	return getenv(name);
}

/* The board, or NULL; every finding is kept. */
static struct board *read_board(struct alone *a, int argc, char **argv)
{
	struct conf_source source = {.report = keep,
				     .report_arg = a,
				     .env = environment,
				     .clusters = getenv("QVM_CLUSTERS"),
				     .partitions = getenv("QVM_PARTITIONS")};
	struct board *board = NULL;
	struct err e;

	if (arguments_read(argc, argv, &a->arguments, keep, a, &e) < 0) {
		a->n_errors = a->n_findings;
		return NULL;
	}
	source.part = a->arguments.part;
	source.n_parts = a->arguments.n_parts;
	source.probe = a->arguments.no_host ? NULL : &probe_host;
	if (conf_read(&source, &board, &a->n_errors, &a->n_warnings, &e) < 0) {
		if (e.code == ERR_RESOURCE)
			a->refusal = CAUSE_RESOURCE;
		return NULL;
	}
	return board;
}

static void show_findings(const struct alone *a)
{
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");

	for (unsigned i = 0; i < a->n_findings; i++)
		diagnostic_print(&a->finding[i], stderr, colour);
	diagnostic_print_counts(a->n_errors, a->n_warnings, a->n_findings, stderr);
}

/* One object: {"valid", "errors", "warnings", "diagnostics": [...], "plan": {...} or null}. */
static void show_json(const struct alone *a, const struct board *board)
{
	AUTO_FREE char *plan = board ? plan_json(board) : NULL;
	json_t *findings = json_array(), *all;

	for (unsigned i = 0; i < a->n_findings; i++)
		json_array_append_new(findings, diagnostic_json(&a->finding[i]));
	all = json_pack("{s:b, s:i, s:i, s:o, s:o}", "valid", board != NULL, "errors",
			(int)a->n_errors, "warnings", (int)a->n_warnings, "diagnostics", findings,
			"plan", plan ? json_loads(plan, 0, NULL) : json_null());
	if (!all)
		abort();
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void show(const struct alone *a, const struct board *board)
{
	if (!a->arguments.as_json)
		show_findings(a);
	else if (!board || board->dryrun)
		show_json(a, board);
	else if (a->n_findings)
		show_findings(a);
	if (board && board->dryrun && !a->arguments.as_json) {
		plan_print(board, stdout);
		puts("Exiting: dryrun completed");
	}
}

/* Every resource that is missing is reported, not only the first. */
static int open_wants(struct life *l)
{
	struct err e;
	int rc = 0;

	if (want_collect(l->board, false, &l->wants, &e) < 0) {
		report_fatal(&(struct log_about){.err = &e}, "%s", e.msg);
		return -1;
	}
	for (unsigned i = 0; i < l->wants.n; i++) {
		if (host_open(&l->wants.want[i], l->board, &e) == 0)
			continue;
		report_fatal(NULL, "%s", e.msg);
		rc = -1;
	}
	return rc;
}

/* A line that nobody sees is seldom meant. */
static void warn_unseen(const struct board *b)
{
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (b->vdev[i]->class->input && b->vdev[i]->n_wants == 0)
			log_info(NULL,
				 "vdev %s has no hostdev: what the guest prints there is not shown "
				 "(hostdev >- shows it here)",
				 b->vdev[i]->name);
}

static void raw_terminal(const struct feed *f)
{
	if (f->console_fd >= 0 && terminal_raw(f->console_fd))
		log_info(NULL, "the guest has the keyboard; Ctrl-A x ends the VM");
}

static int catch_signals(struct err *e)
{
	static const int heard[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
	sigset_t set;
	int fd;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < NELEMS(heard); i++)
		sigaddset(&set, heard[i]);
	/* Blocked before any thread is made, so no vCPU thread takes them. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : err_sys(e, RESOURCE, "listen for signals");
}

static void take_button(struct alone *a)
{
	struct machine *m = a->life.machine;

	if (a->is_asked_to_stop) {
		log_info(NULL, "asked to stop a second time: ending the VM");
		machine_cut(m, CAUSE_POWER_CUT);
	} else if (machine_button(m)) {
		log_info(NULL, "power button pressed; a second signal ends the VM at once");
	} else {
		log_info(NULL, "the guest does not listen to its power button: ending the VM");
		machine_cut(m, CAUSE_POWER_CUT);
	}
	a->is_asked_to_stop = true;
}

/* The guest stands until the helper has written. */
static void take_dump(struct alone *a)
{
	if (a->dumper.fd < 0)
		log_warn(NULL, "no dump: the configuration has no `dump DIRECTORY`");
	else if (a->is_dumping)
		log_info(NULL, "a dump is being written already");
	else
		machine_hold(a->life.machine);
	a->is_dumping = a->dumper.fd >= 0;
	if (a->is_dumping)
		status_log(a->life.board, &a->life.box);
}

static void end_dump(struct alone *a)
{
	a->is_dumping = false;
	life_release(&a->life);
}

/* A vdev has asked for it: the vCPUs have ended, their registers are in the box. */
static void dump_at_end(struct alone *a)
{
	while (a->dumper.is_busy && !dumper_answer(&a->dumper, true))
		;
	if (!atomic_load(&a->life.box.box->wants_dump))
		return;
	if (a->dumper.fd < 0)
		log_warn(NULL, "no dump: the configuration has no `dump DIRECTORY`");
	else if (dumper_ask(&a->dumper))
		while (!dumper_answer(&a->dumper, true))
			;
}

static int open_door(struct alone *a, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN};

	a->door_fd = epoll_create1(EPOLL_CLOEXEC);
	if (a->door_fd < 0 || epoll_ctl(a->door_fd, EPOLL_CTL_ADD, a->signal_fd, &ev) < 0 ||
	    (a->dumper.fd >= 0 && epoll_ctl(a->door_fd, EPOLL_CTL_ADD, a->dumper.fd, &ev) < 0))
		return err_sys(e, RESOURCE, "listen for signals and the helper of `dump`");
	return 0;
}

static void take_signals(struct alone *a)
{
	struct signalfd_siginfo s;

	while (read(a->signal_fd, &s, sizeof s) == sizeof s) {
		switch (s.ssi_signo) {
		case SIGTERM:
		case SIGINT: take_button(a); break;
		case SIGQUIT: machine_cut(a->life.machine, CAUSE_POWER_CUT); break;
		case SIGUSR1: status_log(a->life.board, &a->life.box); break;
		case SIGUSR2: take_dump(a); break;
		}
	}
}

static int live(struct alone *a, struct machine_end *ret, struct err *e)
{
	struct life_news news = {0};

	if (life_start(&a->life, e) < 0)
		return -1;
	while (!news.ended) {
		if (life_wait(&a->life, a->door_fd, &news, e) < 0)
			return -1;
		if (news.door)
			take_signals(a);
		if ((news.door && dumper_answer(&a->dumper, false)) ||
		    (news.held && !dumper_ask(&a->dumper)))
			end_dump(a);
		if (news.leave)
			machine_cut(a->life.machine, CAUSE_POWER_CUT);
	}
	life_end(&a->life, ret);
	dump_at_end(a);
	return 0;
}

static void say_ended(const struct machine_end *end)
{
	const char *detail = end->detail[0] ? end->detail : end->err.code ? end->err.msg : "";
	const char *between = detail[0] ? ": " : "";

	if (cause_is_failure(end->cause))
		log_error(&(struct log_about){.err = &end->err}, "ended: %s%s%s",
			  cause_sentence(end->cause), between, detail);
	else
		log_info(NULL, "ended: %s%s%s", cause_sentence(end->cause), between, detail);
}

/* As qvmd does for its workers. Without the right to do so the vCPU's own error tells. */
static void raise_priority_limit(const struct board *b)
{
	if (schedule_raise_limit(board_priority(b)) < 0)
		report_verbose(NULL, "raise the limit of real-time priorities to %u: %m",
			       board_priority(b));
}

struct sandbox_spec alone_sandbox(void)
{
	struct sandbox_spec spec = {.max_fds = FDS_MOST};

	if (geteuid() == 0) {
		spec.uid = UID_BASE + (uid_t)getpid();
		spec.gid = spec.uid;
	}
	return spec;
}

/* The board is sound: build it and run it to its end. */
static int run(struct alone *a)
{
	struct sandbox_spec spec = alone_sandbox();
	struct machine_end end;
	struct err e = {0};
	char missing[300];

	report_to_loggers(a->life.board);
	if (open_wants(&a->life) < 0)
		return cause_exit(CAUSE_RESOURCE);
	if (dumper_spawn(&a->dumper, a->life.board, a->life.wants.ram_fd, a->life.wants.box_fd,
			 &e) < 0) {
		report_fatal(&(struct log_about){.err = &e}, "%s", e.msg);
		return cause_exit(CAUSE_RESOURCE);
	}
	warn_unseen(a->life.board);
	if (a->life.board->partition[0])
		log_warn(NULL,
			 "the budget of the partition '%s' is kept by qvmd: this VM runs in the "
			 "cgroup of its shell",
			 a->life.board->partition);
	raise_priority_limit(a->life.board);
	a->signal_fd = catch_signals(&e);
	if (a->signal_fd < 0 || open_door(a, &e) < 0 ||
	    life_close_sandbox(&a->life, &spec, &e) < 0) {
		end = life_failed_start(&e);
		say_ended(&end);
		return (int)end.exit_code;
	}
	report_verbose(NULL, "sandbox: all layers but %s (a PID namespace takes a second process)",
		       sandbox_missing(a->life.layers, missing, sizeof missing));
	if (life_assemble(&a->life, HEARTBEAT_MS, &e) < 0) {
		end = life_failed_start(&e);
	} else {
		raw_terminal(&a->life.feed);
		if (live(a, &end, &e) < 0)
			end = life_failed_start(&e);
		terminal_restore();
	}
	life_note_end(&a->life, &end);
	say_ended(&end);
	return (int)end.exit_code;
}

int alone_run(int argc, char **argv)
{
	struct alone a = {.signal_fd = -1,
			  .door_fd = -1,
			  .dumper = {.fd = -1},
			  .refusal = CAUSE_CONFIGURATION};
	int status;

	life_init(&a.life, false);
	a.life.board = read_board(&a, argc, argv);
	show(&a, a.life.board);
	if (!a.life.board)
		status = cause_exit(a.refusal);
	else
		status = a.life.board->dryrun ? 0 : run(&a);
	life_free(&a.life);
	arguments_free(&a.arguments);
	free(a.finding);
	dumper_close(&a.dumper);
	if (a.door_fd >= 0)
		close(a.door_fd);
	if (a.signal_fd >= 0)
		close(a.signal_fd);
	return status;
}
