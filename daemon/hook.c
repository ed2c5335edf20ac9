/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hook.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/hookrun.h"
#include "daemon/store/event.h"
#include "daemon/store/incident.h"
#include "daemon/timer.h"
#include "daemon/worker/controller.h"
#include "daemon/worker/process.h"

enum { RUNNING_MOST = 8, WAITING_MOST = 256, WORDS = 512, JSON = 4096, VARIABLES = 10 };
enum { LINGER_MS = 2000 }; /* from the end of a hook to that of the process that waits for it */

struct hook {
	struct hook *next;
	struct daemon *d;
	struct event ev;
	char program[CONFIG_PATH + NAME_CAP];
	struct process process; /* fd -1: it waits */
	unsigned place;
	int link;
	bool is_late, has_place;
	sd_event_source *source, *deadline;
};

/* --- what it is told --- */

static void add_json(char *buf, size_t *n, const char *name, const char *value)
{
	str_add(buf, JSON, n, "%s\"%s\":\"", *n > 1 ? "," : "", name);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '"' || *p == '\\')
			str_add(buf, JSON, n, "\\%c", *p);
		else if (*p < 0x20)
			str_add(buf, JSON, n, "\\u%04x", *p);
		else
			str_add(buf, JSON, n, "%c", *p);
	}
	str_add(buf, JSON, n, "\"");
}

static size_t make_json(const struct event *ev, char buf[static JSON])
{
	const char *cause = ev->cause != CAUSE_NONE ? cause_id(ev->cause) : "";
	size_t n = 0;

	str_add(buf, JSON, &n, "{\"seq\":%" PRId64 ",\"at_ms\":%" PRId64, ev->seq, ev->at_ms);
	add_json(buf, &n, "kind", journal_table[ev->kind].id);
	add_json(buf, &n, "vm", ev->vm);
	add_json(buf, &n, "cause", cause);
	add_json(buf, &n, "text", ev->text);
	str_add(buf, JSON, &n, "}\n");
	return n;
}

struct environment {
	char text[VARIABLES][EVENT_TEXT + 32];
	char *variable[VARIABLES + 1];
};

static void make_environment(const struct event *ev, struct environment *ret)
{
	const char *cause = ev->cause != CAUSE_NONE ? cause_id(ev->cause) : "";
	unsigned n = 0;

	snprintf(ret->text[n++], sizeof ret->text[0], "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(ret->text[n++], sizeof ret->text[0], "LANG=C.UTF-8");
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_VM=%s", ev->vm);
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_EVENT=%s", journal_table[ev->kind].id);
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_CAUSE=%s", cause);
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_REASON=%s", ev->text);
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_SEQ=%" PRId64, ev->seq);
	snprintf(ret->text[n++], sizeof ret->text[0], "QVM_AT_MS=%" PRId64, ev->at_ms);
	for (unsigned i = 0; i < n; i++)
		ret->variable[i] = ret->text[i];
	ret->variable[n] = NULL;
}

/* --- its cgroup --- */

static const char *place_name(unsigned place, char ret[static 24])
{
	snprintf(ret, 24, "hook-%u", place);
	return ret;
}

/* A cgroup that something of the one before does not leave yet serves the next as well. */
static int take_place(struct hook *h, int *ret_folder, struct err *e)
{
	static const struct limits limits = {.memory_bytes = HOOKRUN_MEMORY,
					     .cpu_weight = 100,
					     .cpu_period_us = 100000,
					     .io_weight = 100,
					     .pids = HOOKRUN_PIDS};
	struct hook_set *s = &h->d->hooks;
	struct limits_held held = {0};
	char name[24];

	while (s->places & 1u << h->place)
		h->place++;
	if (cgroup_make(&h->d->cgroup, place_name(h->place, name), ret_folder, e) < 0)
		return -1;
	h->has_place = true;
	s->places |= 1u << h->place;
	if (*ret_folder >= 0)
		controller_limit(*ret_folder, &limits, &held);
	return 0;
}

static void leave_place(const struct hook *h)
{
	char name[24];

	if (!h->has_place)
		return;
	h->d->hooks.places &= ~(1u << h->place);
	cgroup_remove(&h->d->cgroup, place_name(h->place, name));
}

/* --- its life --- */

static void start_some(struct daemon *d);

static struct hook *hook_free(struct hook *h)
{
	timer_clear(&h->deadline);
	sd_event_source_disable_unref(h->source);
	if (h->link >= 0)
		close(h->link);
	free(h);
	return NULL;
}

static void leave(struct hook *h)
{
	struct hook_set *s = &h->d->hooks;

	for (struct hook **p = &s->first; *p; p = &(*p)->next) {
		if (*p != h)
			continue;
		*p = h->next;
		break;
	}
	s->n--;
	leave_place(h);
	s->is_full = s->is_full && s->n > WAITING_MOST / 2;
	hook_free(h);
}

__attribute__((format(printf, 3, 4))) static void tell(const struct hook *h, enum journal kind,
						       const char *fmt, ...)
{
	char what[640];
	struct event ev;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	ev = event_make(kind, h->ev.vm, "hook '%s' for '%s', event %" PRId64 ": %s",
			strrchr(h->program, '/') + 1, journal_table[h->ev.kind].id, h->ev.seq,
			what);
	ledger_event(h->d, &ev);
}

static void tell_end(const struct hook *h, int code, int status)
{
	char words[WORDS] = "", name[24];
	ssize_t n = read(h->link, words, sizeof words - 1);

	words[n > 0 ? n : 0] = '\0';
	str_printable(words, strlen(words));
	if (h->is_late)
		tell(h, JOURNAL_HOOK_FAILED, "ended after %" PRIu64 " ms (hook-timeout-ms). %s",
		     h->d->config.hook_timeout_ms, words);
	else if (code == CLD_EXITED && status == PROCESS_NO_EXEC)
		tell(h, JOURNAL_HOOK_FAILED, "it could not be executed. %s", words);
	else if (code != CLD_EXITED || status > 128)
		tell(h, JOURNAL_HOOK_FAILED, "it died of %s. %s",
		     incident_signal(code == CLD_EXITED ? status - 128 : status, name), words);
	else if (status)
		tell(h, JOURNAL_HOOK_FAILED, "it left with status %d. %s", status, words);
	else if (words[0])
		tell(h, JOURNAL_HOOK, "%s", words);
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct hook *h = arg;
	struct daemon *d = h->d;
	int code, status;

	(void)s;
	(void)fd;
	(void)events;
	h->source = sd_event_source_disable_unref(h->source);
	process_reap(&h->process, &code, &status);
	d->hooks.n_running--;
	tell_end(h, code, status);
	leave(h);
	start_some(d);
	return 0;
}

static void kill_all(struct hook *h)
{
	char name[24];

	cgroup_kill(&h->d->cgroup, place_name(h->place, name));
	process_kill(&h->process);
}

/* As an ordinary user's it may not heed a signal less strong. */
static void end_all(struct hook *h)
{
	if (geteuid() == 0)
		process_signal(&h->process, SIGTERM);
	else
		kill_all(h);
}

static int on_linger(sd_event_source *s, uint64_t us, void *arg)
{
	struct hook *h = arg;

	(void)s;
	(void)us;
	kill_all(h);
	return 0;
}

static int on_late(sd_event_source *s, uint64_t us, void *arg)
{
	struct hook *h = arg;

	(void)s;
	(void)us;
	h->is_late = true;
	end_all(h);
	timer_set(h->d->loop, &h->deadline, LINGER_MS, on_linger, h);
	return 0;
}

static int start(struct hook *h, struct err *e)
{
	struct daemon *d = h->d;
	AUTO_FREE struct environment *env = calloc(1, sizeof *env);
	AUTO_FD int cgroup = -1;
	char json[JSON];
	size_t n = make_json(&h->ev, json);
	int link[2];

	if (!env)
		abort();
	if (!d->config.hook_folder[0] || !d->config.has_hook_user)
		return err_set(e, RESOURCE,
			       "this host runs no hooks: set `hook-folder` and `hook-user` in "
			       "qvmd.conf");
	make_environment(&h->ev, env);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link) < 0)
		return err_sys(e, RESOURCE, "make the link to a hook");
	h->link = link[0];
	AUTO_FD int its = link[1];
	/* A new socket takes so few bytes. */
	if (write(h->link, json, n) != (ssize_t)n || shutdown(h->link, SHUT_WR) < 0)
		return err_sys(e, RESOURCE, "tell a hook what happened");
	if (take_place(h, &cgroup, e) < 0)
		return -1;
	const struct hookrun r = {.config = &d->config,
				  .program = h->program,
				  .environment = env->variable,
				  .cgroup = cgroup};
	if (hookrun_spawn(&r, its, &h->process, e) < 0)
		return -1;
	if (sd_event_add_io(d->loop, &h->source, h->process.fd, EPOLLIN, on_process, h) < 0)
		abort(); /* out of memory: crash-only */
	timer_set(d->loop, &h->deadline, d->config.hook_timeout_ms, on_late, h);
	d->hooks.n_running++;
	return 0;
}

static bool is_busy(const struct hook_set *s, const struct hook *but)
{
	for (const struct hook *h = s->first; h && h != but; h = h->next)
		if (!strcmp(h->ev.vm, but->ev.vm))
			return true; /* an earlier event of the same VM */
	return false;
}

static void start_some(struct daemon *d)
{
	struct hook_set *s = &d->hooks;
	struct hook *next;
	struct err e;

	for (struct hook *h = s->first; h && s->n_running < RUNNING_MOST; h = next) {
		next = h->next;
		if (h->process.fd >= 0 || is_busy(s, h) || start(h, &e) == 0)
			continue;
		tell(h, JOURNAL_HOOK_FAILED, "%s", e.msg);
		leave(h);
		next = s->first;
	}
}

void hook_event(struct daemon *d, const struct event *ev)
{
	const struct vm *v = ev->vm[0] ? vm_find(&d->vms, ev->vm) : NULL;
	struct hook *h, **last = &d->hooks.first;

	if (d->hooks.is_closed || !v || !v->policy.hook[0] || ev->kind == JOURNAL_HOOK ||
	    ev->kind == JOURNAL_HOOK_FAILED)
		return;
	h = calloc(1, sizeof *h);
	if (!h)
		abort();
	h->d = d;
	h->ev = *ev;
	h->link = h->process.fd = -1;
	snprintf(h->program, sizeof h->program, "%s/%s", d->config.hook_folder, v->policy.hook);
	if (d->hooks.n == WAITING_MOST) {
		if (!d->hooks.is_full)
			tell(h, JOURNAL_HOOK_FAILED,
			     "%d events wait for hooks: this and the next "
			     "are told to none",
			     WAITING_MOST);
		d->hooks.is_full = true;
		hook_free(h);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = h;
	d->hooks.n++;
	start_some(d);
}

void hook_close(struct daemon *d)
{
	struct hook_set *s = &d->hooks;

	while (s->first) {
		struct hook *h = s->first;
		int code, status;

		s->first = h->next;
		if (h->process.fd >= 0) {
			struct pollfd gone = {.fd = h->process.fd, .events = POLLIN};

			end_all(h);
			if (poll(&gone, 1, LINGER_MS) != 1)
				kill_all(h);
			process_reap(&h->process, &code, &status);
		}
		leave_place(h);
		hook_free(h);
	}
	*s = (struct hook_set){.is_closed = true};
}
