/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hook.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/trust.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/store/incident.h"
#include "daemon/timer.h"
#include "daemon/worker/process.h"

enum { RUNNING_MOST = 8, WAITING_MOST = 256, WORDS = 512, JSON = 4096, VARIABLES = 10 };

struct hook {
	struct hook *next;
	struct daemon *d;
	struct event ev;
	char program[CONFIG_PATH + NAME_CAP];
	struct process process; /* fd -1: it waits */
	int link;
	bool is_late;
	sd_event_source *source, *deadline;
};

/* --- in the child --- */

struct child {
	const char *program;
	const struct command_user *user;
	char *const *environment;
};

static void limit(int what, rlim_t value)
{
	const struct rlimit l = {value, value};

	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		_exit(PROCESS_NO_EXEC);
}

static __attribute__((noreturn)) void become_hook(const struct child *c, int link)
{
	char *const argv[] = {(char *)(uintptr_t)c->program, NULL};
	sigset_t none;

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, 10);
	limit(RLIMIT_FSIZE, 16 << 20);
	limit(RLIMIT_AS, 512 << 20);
	limit(RLIMIT_NOFILE, 64);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(link, fd) < 0)
			_exit(PROCESS_NO_EXEC);
	if (c->user->uid &&
	    (setgroups(0, NULL) < 0 || setgid(c->user->gid) < 0 || setuid(c->user->uid) < 0))
		_exit(PROCESS_NO_EXEC);
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    chdir("/") < 0 || close_range(3, ~0u, 0) < 0)
		_exit(PROCESS_NO_EXEC);
	limit(RLIMIT_NPROC, 64);
	execve(c->program, argv, c->environment);
	_exit(PROCESS_NO_EXEC);
}

/* The first process of a namespace takes all others with it, however it ends. */
static void run_hook(int link, const void *arg)
{
	const struct child *c = arg;
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWIPC) < 0) {
		if (geteuid() == 0)
			_exit(PROCESS_NO_EXEC);
		become_hook(c, link); /* an ordinary user's: the deadline is all there is */
	}
	pid = fork();
	if (pid == 0)
		become_hook(c, link);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(PROCESS_NO_EXEC);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

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
		tell(h, JOURNAL_HOOK_FAILED, "it could not be executed");
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

static int on_late(sd_event_source *s, uint64_t us, void *arg)
{
	struct hook *h = arg;

	(void)s;
	(void)us;
	h->is_late = true;
	process_kill(&h->process);
	return 0;
}

/* Code that runs with somebody's rights: only root's own, or ours. */
static int check(const struct hook *h, struct err *e)
{
	const struct config *c = &h->d->config;
	AUTO_FD int folder = -1;
	AUTO_FD int file = -1;

	if (!c->hook_folder[0] || !c->has_hook_user)
		return err_set(e, RESOURCE,
			       "this host runs no hooks: set `hook-folder` and `hook-user` in "
			       "qvmd.conf");
	folder = trust_open_folder(c->hook_folder, e);
	if (folder < 0)
		return -1;
	file = openat(folder, strrchr(h->program, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return err_sys(e, RESOURCE, "open '%s'", h->program);
	return trust_check(file, h->program, 0, e);
}

static int start(struct hook *h, struct err *e)
{
	struct daemon *d = h->d;
	AUTO_FREE struct environment *env = calloc(1, sizeof *env);
	char json[JSON];
	size_t n = make_json(&h->ev, json);
	int link[2];

	if (!env)
		abort();
	if (check(h, e) < 0)
		return -1;
	make_environment(&h->ev, env);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link) < 0)
		return err_sys(e, RESOURCE, "make the link to a hook");
	h->link = link[0];
	AUTO_FD int its = link[1];
	const struct child c = {
		.program = h->program, .user = &d->config.hook_user, .environment = env->variable};

	/* A new socket takes so few bytes. */
	if (write(h->link, json, n) != (ssize_t)n || shutdown(h->link, SHUT_WR) < 0)
		return err_sys(e, RESOURCE, "tell a hook what happened");
	if (process_fork(run_hook, &c, &its, 1, &h->process, e) < 0)
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
			process_kill(&h->process);
			process_reap(&h->process, &code, &status);
		}
		hook_free(h);
	}
	*s = (struct hook_set){.is_closed = true};
}
