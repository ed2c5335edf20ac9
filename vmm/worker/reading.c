/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/reading.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/conf/conf.h"
#include "vmm/conf/utf8.h"
#include "vmm/vdev/plugin.h"
#include "vmm/worker/life.h"
#include "vmm/worker/link.h"

enum { HEARTBEAT_MOST_MS = 3600000 };

/* What the sandbox leaves: a vCPU and its counters are two fds, the granted ones, a few of our own; a thread a vCPU. */
enum { FDS_MOST = 2 * BLACKBOX_MAX_VCPUS + MESSAGE_WANTS_MAX + 64 };
enum { THREADS_MOST = BLACKBOX_MAX_VCPUS + 16 };

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
	if (!str_is_terminated(c->partitions, sizeof c->partitions))
		return err_set(e, PROTOCOL, "CONFIG with partitions without an end");
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
	struct reading *r = arg;
	struct err e;

	if (r->n_reported++ < DIAGNOSTIC_MOST && link_send(MESSAGE_DIAGNOSTIC, d, &e) < 0)
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

static void report_own(struct reading *r, const char *text, unsigned line, uint32_t severity,
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
	report(r, &d);
}

static unsigned check_board(struct reading *r, const char *text)
{
	unsigned n = 0;

	if (r->life->board->dryrun) {
		report_own(r, text, 0, DIAGNOSTIC_ERROR, "`dryrun` builds no VM",
			   "leave it out; qvmadm check and POST /v1/check do the same");
		n++;
	}
	if (r->life->board->dump[0] == '|') {
		report_own(r, text, r->life->board->dump_line, DIAGNOSTIC_ERROR,
			   "`dump` into a command is for a qvm without a supervisor: under qvmd no "
			   "dump is piped",
			   "write `dump FOLDER`, or leave it out: then dumps go into the state "
			   "directory of qvmd");
		n++;
	}
	for (unsigned i = 0; i < r->life->wants.n; i++) {
		const struct want *w = &r->life->wants.want[i];
		char what[200];

		if (!w->path[0] || w->path[0] == '/' || w->kind == WANT_COMMAND)
			continue;
		snprintf(what, sizeof what, "%s: '%.120s' is a relative path", w->option, w->path);
		report_own(r, text, w->line, DIAGNOSTIC_ERROR, what,
			   "write an absolute path, or define the VM with `qvmadm define`, which "
			   "sends the file's folder along");
		n++;
	}
	return n;
}

/* The supervisor lets nobody wait for a file: it would have to wait itself. */
static unsigned warn_delayed(struct reading *r, const char *text)
{
	unsigned n = 0, line = 0;

	for (unsigned i = 0; i < r->life->wants.n; i++) {
		const struct want *w = &r->life->wants.want[i];

		if (!w->delayed_s || w->line == line)
			continue;
		line = w->line;
		report_own(
			r, text, line, DIAGNOSTIC_WARNING,
			"`delayed` waits for nothing here: under qvmd a hostdev must be there when "
			"the VM starts",
			"leave it out; a policy on_failure=restart with a restart_budget tries "
			"again");
		n++;
	}
	return n;
}

static int send_plan(struct reading *r, unsigned n_warnings, struct err *e)
{
	const struct board *b = r->life->board;
	struct msg_plan plan = {.n_wants = r->life->wants.n,
				.n_vcpus = b->n_cpus,
				.n_vdevs = b->n_vdevs,
				.n_warnings = n_warnings,
				.ram_bytes = board_memory_bytes(b, false),
				.rom_bytes = board_memory_bytes(b, true),
				.max_priority = board_priority(b)};

	str_copy(plan.partition, sizeof plan.partition, b->partition);
	for (unsigned i = 0; i < r->life->wants.n; i++) {
		const struct want *w = &r->life->wants.want[i];
		struct msg_want m = {
			.index = i, .kind = w->kind, .bytes = w->bytes, .line = w->line};

		str_copy(m.option, sizeof m.option, w->option);
		str_copy(m.path, sizeof m.path, w->path);
		if (link_send(MESSAGE_WANT, &m, e) < 0)
			return -1;
	}
	return link_send(MESSAGE_PLAN, &plan, e);
}

/* Read the configuration, in the sandbox. What is wrong with it is an answer, not an error. */
static int answer(struct reading *r, const char *text, struct err *ret_fault, struct err *e)
{
	struct conf_part part = {.name = "<config>",
				 .folder = r->config.folder,
				 .text = text,
				 .bytes = r->config.bytes};
	struct conf_source source = {.part = &part,
				     .n_parts = 1,
				     .vm = r->config.vm[0] ? r->config.vm : NULL,
				     .clusters = r->config.clusters,
				     .partitions = r->config.partitions,
				     .report = report,
				     .report_arg = r};
	struct msg_invalid invalid = {0};
	unsigned n_warnings = 0, n_errors = 0;

	if (conf_read(&source, &r->life->board, &n_errors, &n_warnings, ret_fault) == 0) {
		if (want_collect(r->life->board, true, &r->life->wants, ret_fault) < 0) {
			report_own(r, text, 0, DIAGNOSTIC_ERROR, ret_fault->msg,
				   "name fewer host files");
			n_errors++;
		} else {
			n_errors += check_board(r, text);
		}
	}
	if (n_errors == 0 && r->life->board) {
		n_warnings += warn_delayed(r, text);
		return send_plan(r, n_warnings, e) < 0 ? -1 : 1;
	}
	invalid.n_errors = n_errors ? n_errors : 1;
	invalid.n_warnings = n_warnings;
	return link_send(MESSAGE_INVALID, &invalid, e);
}

int reading_take(struct reading *r, struct wire_msg *m, struct err *ret_fault, struct err *e)
{
	AUTO_FD int fd = wire_take_fd(m, 0);
	AUTO_FREE char *text = NULL;
	struct sandbox_spec spec = {.max_fds = FDS_MOST, .max_threads = THREADS_MOST};

	memcpy(&r->config, m->body, sizeof r->config);
	if (check_config(&r->config, fd, e) < 0)
		return -1;
	text = malloc(r->config.bytes + 1);
	if (!text)
		abort();
	if (read_text(fd, r->config.bytes, text, e) < 0)
		return -1;
	text[r->config.bytes] = '\0';
	spec.made = r->config.made & SANDBOX_ALL;
	spec.uid = r->config.uid;
	spec.gid = r->config.uid;
	plugin_load(text, r->config.bytes);
	if (life_close_sandbox(r->life, &spec, e) < 0)
		return -1;
	return answer(r, text, ret_fault, e);
}
