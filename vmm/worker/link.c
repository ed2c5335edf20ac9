/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/link.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/conf/conf.h"
#include "vmm/conf/utf8.h"
#include "vmm/vdev/plugin.h"
#include "vmm/worker/life.h"

enum { SEND_PATIENCE_MS = 10000, HEARTBEAT_MOST_MS = 3600000 };

/* What the sandbox leaves: a vCPU and its counters are two fds, the granted ones, a few of our own; a thread a vCPU. */
enum { FDS_MOST = 2 * BLACKBOX_MAX_VCPUS + MESSAGE_WANTS_MAX + 64 };
enum { THREADS_MOST = BLACKBOX_MAX_VCPUS + 16 };

enum stage { STAGE_CONFIG, STAGE_GRANTS, STAGE_READY, STAGE_RUNNING, STAGE_OVER };

struct link {
	enum stage stage;
	struct msg_config config;
	unsigned n_reported;
	uint64_t hold;	     /* serial of the HOLD that is not answered yet; 0 = none */
	uint64_t input_lost; /* bytes typed that the guest had no room for */
	struct life life;
	struct machine_end end; /* at STAGE_OVER */
};

/* A socket's queue is short and a plan is long: wait for the supervisor, but not for ever. */
static int send_message(unsigned type, const void *body, struct err *e)
{
	struct pollfd p = {LINK_FD, POLLOUT, 0};

	while (wire_send(LINK_FD, &message_table, type, 0, body, NULL, 0, e) < 0) {
		if (e->code != ERR_PROTOCOL)
			return -1;
		if (ppoll(&p, 1, &(struct timespec){.tv_sec = SEND_PATIENCE_MS / 1000}, NULL) == 0)
			return err_wrap(e, "for %d ms", SEND_PATIENCE_MS);
	}
	return 0;
}

static void end_with(struct link *l, enum cause cause, const struct err *err)
{
	l->stage = STAGE_OVER;
	l->end = life_no_machine(cause, err);
}

/* The supervisor is the one who is trusted, yet a mix-up must not become an incomprehensible VM. */
static int check_config(const struct msg_config *c, int fd, struct err *e)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (!str_is_terminated(c->vm, sizeof c->vm) || (c->vm[0] && !name_is_valid(c->vm)))
		return err_set(e, PROTOCOL, "CONFIG with a VM name that is none");
	if (!str_is_terminated(c->folder, sizeof c->folder) ||
	    (c->folder[0] && c->folder[0] != '/'))
		return err_set(e, PROTOCOL, "CONFIG with a folder that is no absolute path");
	if (!str_is_terminated(c->clusters, sizeof c->clusters))
		return err_set(e, PROTOCOL, "CONFIG with clusters without an end");
	if (c->bytes > MESSAGE_CONFIG_MAX)
		return err_set(e, PROTOCOL, "CONFIG of %u bytes, over %d", c->bytes,
			       MESSAGE_CONFIG_MAX);
	if (c->heartbeat_ms == 0 || c->heartbeat_ms > HEARTBEAT_MOST_MS)
		return err_set(e, PROTOCOL,
			       "CONFIG with a heartbeat of %" PRIu64 " ms, not 1 to %d",
			       c->heartbeat_ms, HEARTBEAT_MOST_MS);
	if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
		return err_set(e, PROTOCOL, "CONFIG with a text that can still change");
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)c->bytes)
		return err_set(e, PROTOCOL, "CONFIG with less text than its %u bytes", c->bytes);
	return 0;
}

static int read_text(int fd, size_t bytes, char *ret, struct err *e)
{
	for (size_t at = 0; at < bytes;) {
		ssize_t n = pread(fd, ret + at, bytes - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, PROTOCOL, "read the configuration's text");
		at += (size_t)n;
	}
	return 0;
}

static void report(void *arg, const struct diagnostic *d)
{
	struct link *l = arg;
	struct err e;

	if (l->n_reported++ < DIAGNOSTIC_MOST && send_message(MESSAGE_DIAGNOSTIC, d, &e) < 0)
		log_warn(NULL, "a finding did not reach the supervisor: %s", e.msg);
}

/* The text of a line, for a finding that only a supervised worker makes. */
static void copy_line(const char *text, unsigned line, char *ret, size_t cap)
{
	for (; line > 1 && text; line--) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	str_copy(ret, cap, text && line ? text : "");
	ret[strcspn(ret, "\r\n")] = '\0';
}

static void report_own(struct link *l, const char *text, unsigned line, uint32_t severity,
		       const char *what, const char *hint)
{
	struct diagnostic d = {.severity = severity, .line = line, .length = 1, .file = "<config>"};

	copy_line(text, line, d.source, sizeof d.source);
	d.column = line ? 1 + (uint32_t)strspn(d.source, " \t") : 0;
	str_copy(d.what, sizeof d.what, what);
	str_copy(d.hint, sizeof d.hint, hint);
	utf8_repair(d.source); /* cut to length, perhaps within a character */
	utf8_repair(d.what);
	diagnostic_sane(&d);
	report(l, &d);
}

static unsigned check_board(struct link *l, const char *text)
{
	unsigned n = 0;

	if (l->life.board->dryrun) {
		report_own(l, text, 0, DIAGNOSTIC_ERROR, "`dryrun` builds no VM",
			   "leave it out; qvmadm check and POST /v1/check do the same");
		n++;
	}
	if (l->life.board->dump[0] == '|') {
		report_own(l, text, l->life.board->dump_line, DIAGNOSTIC_ERROR,
			   "`dump` into a command is for a qvm without a supervisor: under qvmd no "
			   "dump is piped",
			   "write `dump FOLDER`, or leave it out: then dumps go into the state "
			   "directory of qvmd");
		n++;
	}
	for (unsigned i = 0; i < l->life.wants.n; i++) {
		const struct want *w = &l->life.wants.want[i];
		char what[200];

		if (!w->path[0] || w->path[0] == '/' || w->kind == WANT_COMMAND)
			continue;
		snprintf(what, sizeof what, "%s: '%.120s' is a relative path", w->option, w->path);
		report_own(l, text, w->line, DIAGNOSTIC_ERROR, what,
			   "write an absolute path, or define the VM with `qvmadm define`, which "
			   "sends the file's folder along");
		n++;
	}
	return n;
}

/* The supervisor lets nobody wait for a file: it would have to wait itself. */
static unsigned warn_delayed(struct link *l, const char *text)
{
	unsigned n = 0, line = 0;

	for (unsigned i = 0; i < l->life.wants.n; i++) {
		const struct want *w = &l->life.wants.want[i];

		if (!w->delayed_s || w->line == line)
			continue;
		line = w->line;
		report_own(
			l, text, line, DIAGNOSTIC_WARNING,
			"`delayed` waits for nothing here: under qvmd a hostdev must be there when "
			"the VM starts",
			"leave it out; a policy on_failure=restart with a restart_budget tries "
			"again");
		n++;
	}
	return n;
}

static int send_plan(struct link *l, unsigned n_warnings, struct err *e)
{
	const struct board *b = l->life.board;
	struct msg_plan plan = {.n_wants = l->life.wants.n,
				.n_vcpus = b->n_cpus,
				.n_vdevs = b->n_vdevs,
				.n_warnings = n_warnings,
				.ram_bytes = board_memory_bytes(b, false),
				.rom_bytes = board_memory_bytes(b, true),
				.max_priority = board_priority(b)};

	for (unsigned i = 0; i < l->life.wants.n; i++) {
		const struct want *w = &l->life.wants.want[i];
		struct msg_want m = {
			.index = i, .kind = w->kind, .bytes = w->bytes, .line = w->line};

		str_copy(m.option, sizeof m.option, w->option);
		str_copy(m.path, sizeof m.path, w->path);
		if (send_message(MESSAGE_WANT, &m, e) < 0)
			return -1;
	}
	return send_message(MESSAGE_PLAN, &plan, e);
}

/* Read the configuration, in the sandbox. What is wrong with it is an answer, not an error. */
static int answer_config(struct link *l, const char *text, struct err *e)
{
	struct conf_part part = {.name = "<config>",
				 .folder = l->config.folder,
				 .text = text,
				 .bytes = l->config.bytes};
	struct conf_source source = {.part = &part,
				     .n_parts = 1,
				     .vm = l->config.vm[0] ? l->config.vm : NULL,
				     .clusters = l->config.clusters,
				     .report = report,
				     .report_arg = l};
	struct msg_invalid invalid = {0};
	unsigned n_warnings = 0, n_errors = 0;
	struct err fault = {0};

	if (conf_read(&source, &l->life.board, &n_errors, &n_warnings, &fault) == 0) {
		if (want_collect(l->life.board, true, &l->life.wants, &fault) < 0) {
			report_own(l, text, 0, DIAGNOSTIC_ERROR, fault.msg,
				   "name fewer host files");
			n_errors++;
		} else {
			n_errors += check_board(l, text);
		}
	}
	if (n_errors == 0 && l->life.board) {
		n_warnings += warn_delayed(l, text);
		l->stage = STAGE_GRANTS;
		return send_plan(l, n_warnings, e);
	}
	invalid.n_errors = n_errors ? n_errors : 1;
	invalid.n_warnings = n_warnings;
	end_with(l, CAUSE_CONFIGURATION, &fault);
	return send_message(MESSAGE_INVALID, &invalid, e);
}

static int take_config(struct link *l, struct wire_msg *m, struct err *e)
{
	AUTO_FD int fd = wire_take_fd(m, 0);
	AUTO_FREE char *text = NULL;
	struct sandbox_spec spec = {.max_fds = FDS_MOST, .max_threads = THREADS_MOST};

	memcpy(&l->config, m->body, sizeof l->config);
	if (check_config(&l->config, fd, e) < 0)
		return -1;
	text = malloc(l->config.bytes + 1);
	if (!text)
		abort();
	if (read_text(fd, l->config.bytes, text, e) < 0)
		return -1;
	text[l->config.bytes] = '\0';
	spec.made = l->config.made & SANDBOX_ALL;
	spec.uid = l->config.uid;
	spec.gid = l->config.uid;
	plugin_load(text, l->config.bytes);
	if (life_close_sandbox(&l->life, &spec, e) < 0)
		return -1;
	return answer_config(l, text, e);
}

static int take_grant(struct link *l, struct wire_msg *m, struct err *e)
{
	struct msg_grant g;
	const struct want *w;

	memcpy(&g, m->body, sizeof g);
	if (g.index >= l->life.wants.n)
		return err_set(e, PROTOCOL, "GRANT %u of %u wants", g.index, l->life.wants.n);
	w = &l->life.wants.want[g.index];
	if (g.kind != w->kind || *w->fd >= 0)
		return err_set(e, PROTOCOL, "GRANT %u as %s: it is %s, %s", g.index,
			       want_kind_id(g.kind), want_kind_id(w->kind),
			       *w->fd >= 0 ? "granted already" : "not granted yet");
	*w->fd = wire_take_fd(m, 0);
	return 0;
}

static int assemble(struct link *l, struct err *e)
{
	struct msg_ready ready = {.sandbox = l->life.layers};

	if (life_assemble(&l->life, l->config.heartbeat_ms, e) < 0) {
		l->stage = STAGE_OVER;
		l->end = life_failed_start(e);
		return 0;
	}
	l->stage = STAGE_READY;
	return send_message(MESSAGE_READY, &ready, e);
}

static int start(struct link *l, struct err *e)
{
	machine_freeze(l->life.machine, l->config.freezes);
	if (life_start(&l->life, e) < 0) {
		l->stage = STAGE_OVER;
		l->end = life_failed_start(e);
		return 0;
	}
	l->stage = STAGE_RUNNING;
	return 0;
}

static void cut(struct link *l, const struct wire_msg *m)
{
	struct msg_cut c;

	memcpy(&c, m->body, sizeof c);
	if (c.cause == CAUSE_NONE || c.cause >= CAUSE_COUNT)
		c.cause = CAUSE_POWER_CUT;
	if (l->stage == STAGE_RUNNING)
		machine_cut(l->life.machine, c.cause);
	else
		end_with(l, c.cause, NULL);
}

static int answer_hold(struct link *l, struct err *e)
{
	struct msg_hold h = {.serial = l->hold};

	l->hold = 0;
	return h.serial ? send_message(MESSAGE_HELD, &h, e) : 0;
}

static int hold(struct link *l, const struct wire_msg *m, struct err *e)
{
	struct msg_hold h;

	memcpy(&h, m->body, sizeof h);
	l->hold = h.serial;
	machine_hold(l->life.machine);
	return machine_is_held(l->life.machine) ? answer_hold(l, e) : 0;
}

static void release(struct link *l)
{
	l->hold = 0;
	life_release(&l->life);
}

static void input(struct link *l, const struct wire_msg *m)
{
	struct msg_input in;
	size_t lost;

	memcpy(&in, m->body, sizeof in);
	if (in.n > sizeof in.bytes)
		in.n = sizeof in.bytes;
	lost = machine_input(l->life.machine, in.bytes, in.n);
	if (lost == 0)
		return;
	l->input_lost += lost;
	log_warn(NULL,
		 "the guest does not read its console: %zu typed bytes were lost, %" PRIu64
		 " in all",
		 lost, l->input_lost);
}

/* One message. What does not belong to this stage breaks the protocol. */
static int take(struct link *l, struct wire_msg *m, struct err *e)
{
	unsigned type = m->hdr.type;

	if (type == MESSAGE_CUT && l->stage != STAGE_OVER) {
		cut(l, m);
		return 0;
	}
	switch (l->stage) {
	case STAGE_CONFIG:
		if (type == MESSAGE_CONFIG)
			return take_config(l, m, e);
		break;
	case STAGE_GRANTS:
		if (type == MESSAGE_GRANT)
			return take_grant(l, m, e);
		if (type == MESSAGE_ASSEMBLE)
			return assemble(l, e);
		break;
	case STAGE_READY:
		if (type == MESSAGE_START)
			return start(l, e);
		if (type == MESSAGE_HOLD)
			return hold(l, m, e); /* before its first instruction */
		break;
	case STAGE_RUNNING:
		if (type == MESSAGE_BUTTON)
			machine_button(l->life.machine);
		else if (type == MESSAGE_NMI)
			machine_nmi(l->life.machine);
		else if (type == MESSAGE_INPUT)
			input(l, m);
		else if (type == MESSAGE_HOLD)
			return hold(l, m, e);
		else if (type == MESSAGE_RELEASE)
			release(l);
		else
			break;
		return 0;
	case STAGE_OVER: return 0;
	}
	return err_set(e, PROTOCOL, "%s at the wrong time", message_table.rule[type].name);
}

static int take_all(struct link *l, struct err *e)
{
	int got = 1;

	while (got == 1 && l->stage != STAGE_OVER) {
		AUTO(wire_close_fds) struct wire_msg m;

		got = wire_recv(LINK_FD, &message_table, WIRE_TO_WORKER, &m, e);
		if (got == 1 && take(l, &m, e) < 0)
			return -1;
	}
	return got < 0 ? -1 : 0;
}

/* A broken link: whose fault it is decides the cause; a running machine is ended first. */
static void lost(struct link *l, const struct err *e)
{
	enum cause cause = e->code == ERR_WORKER       ? CAUSE_SUPERVISOR_LOST
			   : l->stage == STAGE_RUNNING ? CAUSE_WORKER_ERROR
						       : CAUSE_START_FAILED;

	if (l->stage == STAGE_RUNNING) {
		machine_cut(l->life.machine, cause);
		life_end(&l->life, &l->end);
		l->end.err = *e;
		l->stage = STAGE_OVER;
	} else {
		end_with(l, cause, e);
	}
}

static int say_fault(struct link *l, struct err *e)
{
	struct machine_end how;
	struct msg_ended m;

	life_note_fault(&l->life, &how);
	m = (struct msg_ended){.cause = how.cause, .exit_code = how.exit_code, .err = how.err};
	str_copy(m.detail, sizeof m.detail, how.detail);
	return send_message(MESSAGE_FAULT, &m, e);
}

static int step(struct link *l, struct err *e)
{
	static const struct msg_empty empty;
	struct life_news news;

	if (life_wait(&l->life, LINK_FD, &news, e) < 0)
		return -1;
	if (news.started && send_message(MESSAGE_STARTED, &empty, e) < 0)
		return -1;
	if (news.ended) {
		life_end(&l->life, &l->end);
		l->stage = STAGE_OVER;
		return 0;
	}
	if (news.fault && say_fault(l, e) < 0)
		return -1;
	if (news.held && answer_hold(l, e) < 0)
		return -1;
	return news.door ? take_all(l, e) : 0;
}

static void say_ended(struct link *l)
{
	struct msg_ended m = {.cause = l->end.cause, .exit_code = l->end.exit_code};
	struct err e;

	life_note_end(&l->life, &l->end);
	str_copy(m.detail, sizeof m.detail, l->end.detail);
	m.err = l->end.err;
	/* INVALID was the last word about a wrong configuration; a lost supervisor hears nothing. */
	if (l->end.cause == CAUSE_CONFIGURATION || l->end.cause == CAUSE_SUPERVISOR_LOST)
		return;
	if (send_message(MESSAGE_ENDED, &m, &e) < 0)
		log_warn(NULL, "the end did not reach the supervisor: %s", e.msg);
}

static void ignore_signals(void)
{
	static const int none_of_its_doors[] = {SIGHUP,	 SIGINT,  SIGTERM, SIGQUIT,
						SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};

	for (size_t i = 0; i < NELEMS(none_of_its_doors); i++)
		signal(none_of_its_doors[i], SIG_IGN);
}

int link_run(void)
{
	struct link l = {.stage = STAGE_CONFIG};
	struct err e = {0};

	ignore_signals();
	if (fcntl(VDEVS_FD, F_GETFD) >= 0)
		plugin_open(VDEVS_FD, NULL);
	life_init(&l.life, true);
	while (l.stage != STAGE_OVER)
		if (step(&l, &e) < 0)
			lost(&l, &e);
	say_ended(&l);
	life_free(&l.life);
	return (int)l.end.exit_code;
}
