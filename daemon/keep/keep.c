/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/keep.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/keep/recall.h"
#include "daemon/timer.h"
#include "daemon/vm/adopt.h"

_Static_assert((int)KEEP_UID > (int)CHECK_MOST, "a uid of its own");

enum { RECALL_MS = 5000, DELAY_MIN_MS = 100, DELAY_MAX_MS = 10000, MEMORY_BYTES = 64 << 20 };

struct keep_letter {
	struct keep_letter *next;
	enum keeping_type type;
	int fd;
	union {
		struct msg_keep keep;
		struct msg_drop drop;
	};
};

/* --- what is on its way --- */

static void letter_free(struct keep_letter *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

static void drop_letters(struct keep *k)
{
	while (k->first) {
		struct keep_letter *l = k->first;

		k->first = l->next;
		letter_free(l);
	}
	k->last = NULL;
}

/* As many as the link takes now; a broken link is seen by its reader. */
static void post(struct keep *k)
{
	struct err e;

	while (k->first) {
		struct keep_letter *l = k->first;

		if (wire_send(k->link, &keeping_table, l->type, 0, &l->keep, &l->fd, l->fd >= 0,
			      &e) < 0)
			break;
		k->first = l->next;
		if (!k->first)
			k->last = NULL;
		letter_free(l);
	}
	sd_event_source_set_io_events(k->source, EPOLLIN | (k->first ? EPOLLOUT : 0));
	if (!k->first && k->is_leaving) {
		k->source = sd_event_source_disable_unref(k->source);
		close(k->link);
		k->link = -1;
	}
}

static void say(struct keep *k, struct keep_letter *take)
{
	if (k->last)
		k->last->next = take;
	else
		k->first = take;
	k->last = take;
	post(k);
}

static struct keep_letter *letter(enum keeping_type type)
{
	struct keep_letter *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	l->type = type;
	l->fd = -1;
	return l;
}

void keep_put(struct keep *k, const struct msg_keep *key, const void *note, size_t bytes, int fd)
{
	struct keep_letter *l;

	if (!k || !k->d || k->link < 0 || fd < 0)
		return;
	l = letter(KEEPING_KEEP);
	l->keep = *key;
	if (note)
		memcpy(l->keep.note, note, bytes < KEEP_NOTE ? bytes : KEEP_NOTE);
	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (l->fd < 0) {
		log_error(&(struct log_about){.vm = key->owner},
			  "its %s is not kept: %m; the next supervisor will lack it",
			  keep_kind_id(key->kind));
		free(l);
		return;
	}
	say(k, l);
}

void keep_drop(struct keep *k, const struct msg_drop *what)
{
	struct keep_letter *l;

	if (!k || !k->d || k->link < 0)
		return;
	l = letter(KEEPING_DROP);
	l->drop = *what;
	say(k, l);
}

/* --- its process --- */

static void lose(struct keep *k)
{
	k->source = sd_event_source_disable_unref(k->source);
	k->process_source = sd_event_source_disable_unref(k->process_source);
	k->scope = scope_cancel(k->scope);
	drop_letters(k);
	if (k->link >= 0)
		close(k->link);
	k->link = -1;
}

static int socket_name(const struct daemon *d, struct sockaddr_un *ret, struct err *e)
{
	int n;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(ret->sun_path, sizeof ret->sun_path, "%s/keeper.sock", d->config.run_dir);
	return n > 0 && (size_t)n < sizeof ret->sun_path
		       ? 0
		       : err_set(e, INVALID, "the run directory '%s' is too long for a socket",
				 d->config.run_dir);
}

static int bind_door(const struct sockaddr_un *at, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return err_sys(e, RESOURCE, "make the keeper's socket");
	/* The lock on the run directory is held, and nobody answers at it: a left-over. */
	if (unlink(at->sun_path) < 0 && errno != ENOENT)
		return err_sys(e, RESOURCE, "remove the old socket '%s'", at->sun_path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)at, sizeof *at);
	umask(mask);
	if (r < 0)
		return err_sys(e, RESOURCE, "make the socket '%s'", at->sun_path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int spawn(struct daemon *d, struct err *e)
{
	static char name[] = "qvm-keeper", uid_flag[] = "--uid";
	char uid[16], program[CONFIG_PROGRAM];
	char *const argv[] = {name, uid_flag, uid, NULL};
	struct keep *k = &d->keep;
	AUTO_FD int door = -1;
	AUTO_FD int cgroup = -1;
	struct sockaddr_un at;
	int link[2];

	snprintf(uid, sizeof uid, "%u", geteuid() == 0 ? d->config.uid_base + KEEP_UID : 0);
	if (socket_name(d, &at, e) < 0 || bind_door(&at, &door, e) < 0 ||
	    cgroup_make(&d->cgroup, KEEP_CGROUP, &cgroup, e) < 0 || wire_pair(link, e) < 0)
		return -1;
	AUTO_FD int ours = link[0];
	AUTO_FD int its = link[1];
	if (process_spawn(
		    &(struct process_spec){.program = config_program(&d->config, name, program),
					   .argv = argv,
					   .fd = (int[]){its, door},
					   .n_fds = 2,
					   .words = STDERR_FILENO,
					   .cgroup = cgroup},
		    &k->process, e) < 0)
		return -1;
	k->link = TAKE_FD(ours);
	return 0;
}

static void on_scope(void *arg, const struct err *why)
{
	struct daemon *d = arg;

	d->keep.scope = NULL;
	if (!why)
		cgroup_remove(&d->cgroup, KEEP_CGROUP);
	else
		log_warn(&(struct log_about){.err = why},
			 "the keeper stays in our cgroup, and ends with it: %s", why->msg);
}

static void move_out(struct daemon *d)
{
	static const struct limits limits = {
		.memory_bytes = MEMORY_BYTES, .cpu_weight = 100, .io_weight = 100, .pids = 4};
	struct keep *k = &d->keep;
	struct scope_spec s = {.vm = KEEP_CGROUP, .pid = k->process.pid, .limits = &limits};
	struct err e;

	if (!d->scopes.loop)
		return;
	snprintf(s.name, sizeof s.name, "qvm-keeper-%" PRIu64 ".scope", k->process.start);
	if (scope_start(&d->scopes, &s, on_scope, d, &k->scope, &e) < 0)
		on_scope(d, &e);
}

/* --- it was lost while we live --- */

static int on_again(sd_event_source *t, uint64_t us, void *arg);

static void again(struct daemon *d)
{
	struct keep *k = &d->keep;

	k->delay_ms = k->delay_ms ? k->delay_ms * 2 : DELAY_MIN_MS;
	if (k->delay_ms > DELAY_MAX_MS)
		k->delay_ms = DELAY_MAX_MS;
	timer_set(d->loop, &k->again, k->delay_ms, on_again, d);
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct keep *k = &d->keep;
	int code, status;

	(void)s;
	(void)fd;
	(void)events;
	lose(k);
	process_reap(&k->process, &code, &status);
	cgroup_remove(&d->cgroup, KEEP_CGROUP);
	if (d->is_ending) {
		daemon_check_end(d);
		return 0;
	}
	err_set(&k->why, WORKER, "the keeper has ended, by %s %d",
		code == CLD_EXITED ? "status" : "signal", status);
	log_error(&(struct log_about){.err = &k->why}, "%s: another is started", k->why.msg);
	again(d);
	return 0;
}

static int on_link(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct keep *k = &d->keep;
	AUTO(wire_close_fds) struct wire_msg m = {0};
	struct err e;
	int r;

	(void)s;
	if (events & EPOLLOUT)
		post(k);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return 0;
	r = wire_recv(fd, &keeping_table, WIRE_FROM_KEEPER, &m, &e);
	if (r > 0 && m.hdr.type == KEEPING_FULL && !k->is_full) {
		k->is_full = true;
		log_error(NULL, "the keeper can hold no more descriptors: the next supervisor will "
				"not adopt every VM; raise LimitNOFILE of qvmd's unit");
	} else if (r < 0) {
		k->source = sd_event_source_disable_unref(k->source);
		process_kill(&k->process); /* its pidfd tells the rest */
	}
	return 0;
}

static void listen_to(struct daemon *d)
{
	struct keep *k = &d->keep;

	if (sd_event_add_io(d->loop, &k->source, k->link, EPOLLIN, on_link, d) < 0 ||
	    sd_event_add_io(d->loop, &k->process_source, k->process.fd, EPOLLIN, on_process, d) < 0)
		abort(); /* out of memory: crash-only */
	k->why = (struct err){0};
	k->is_full = false;
}

static int on_again(sd_event_source *t, uint64_t us, void *arg)
{
	struct daemon *d = arg;
	struct keep *k = &d->keep;

	(void)t;
	(void)us;
	timer_clear(&k->again);
	if (spawn(d, &k->why) < 0) {
		log_error(&(struct log_about){.err = &k->why},
			  "no keeper: the next supervisor will not adopt: %s", k->why.msg);
		again(d);
		return 0;
	}
	listen_to(d);
	move_out(d);
	/* Everything anew. */
	for (size_t i = 0; i < d->vms.n; i++)
		adopt_keep(d->vms.vm[i]);
	peer_keep(&d->peers);
	dial_keep(&d->dials);
	return 0;
}

/* --- at the start --- */

/* 1 = an earlier supervisor's keeper answers, 0 = there is none. */
static int find(struct daemon *d, struct err *e)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct keep *k = &d->keep;
	struct sockaddr_un at;
	struct ucred who;
	socklen_t size = sizeof who;

	if (socket_name(d, &at, e) < 0)
		return -1;
	if (fd < 0)
		return err_sys(e, RESOURCE, "make a socket");
	if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return errno == ENOENT || errno == ECONNREFUSED
			       ? 0
			       : err_sys(e, RESOURCE, "reach the keeper at '%s'", at.sun_path);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || who.uid != geteuid())
		return err_set(e, RESOURCE, "'%s' is served by somebody else, process %d of uid %u",
			       at.sun_path, who.pid, who.uid);
	if (process_open(who.pid, &k->process, e) < 0)
		return -1;
	k->link = TAKE_FD(fd);
	return 1;
}

/* One message, waiting for it until then. */
static int receive(int link, uint64_t end_ms, struct wire_msg *m, struct err *e)
{
	for (;;) {
		uint64_t now_ms = clock_mono_ms();
		struct pollfd p = {.fd = link, .events = POLLIN};
		int r = wire_recv(link, &keeping_table, WIRE_FROM_KEEPER, m, e);

		if (r != 0)
			return r;
		if (now_ms >= end_ms)
			return err_set(e, TIMEOUT, "the keeper did not answer within %d ms",
				       RECALL_MS);
		poll(&p, 1, (int)(end_ms - now_ms));
	}
}

static int recall(struct keep *k, struct recall *ret, struct err *e)
{
	uint64_t end_ms = clock_mono_ms() + RECALL_MS;
	int r = wire_send(k->link, &keeping_table, KEEPING_RECALL, 0, &(struct msg_kept_count){0},
			  NULL, 0, e);

	while (r == 0) {
		AUTO(wire_close_fds) struct wire_msg m = {0};
		struct msg_keep keep;

		if (receive(k->link, end_ms, &m, e) < 0)
			return -1;
		if (m.hdr.type == KEEPING_RECALLED)
			return 0;
		if (m.hdr.type != KEEPING_KEPT)
			continue;
		memcpy(&keep, m.body, sizeof keep);
		if ((r = keep_check(&keep, e)) == 0)
			recall_add(ret, &keep, wire_take_fd(&m, 0));
	}
	return r;
}

void keep_open(struct daemon *d, struct recall *ret)
{
	struct keep *k = &d->keep;
	struct err e;
	int r = find(d, &e);
	bool is_new;

	k->d = d;
	if (r == 1 && recall(k, ret, &e) < 0) {
		/* It hangs. What it holds is lost; the VMs run on, and are left alone. */
		log_error(&(struct log_about){.err = &e}, "the keeper is given up: %s", e.msg);
		process_kill(&k->process);
		lose(k);
		close(k->process.fd);
		recall_clear(ret);
		r = 0;
	}
	is_new = r == 0;
	if (is_new)
		r = spawn(d, &e);
	if (r < 0) {
		k->why = e;
		return;
	}
	listen_to(d);
	if (is_new)
		move_out(d);
}

void keep_leave(struct daemon *d)
{
	struct keep *k = &d->keep;

	timer_clear(&k->again);
	k->is_leaving = true;
	if (k->link >= 0)
		post(k);
}

bool keep_is_gone(const struct daemon *d)
{
	return d->keep.process.fd < 0;
}

void keep_close(struct daemon *d)
{
	struct keep *k = &d->keep;
	struct sockaddr_un at;
	struct err e;

	timer_clear(&k->again);
	/* Its last descriptor has been dropped: nobody will ask for it. */
	if (k->d && keep_is_gone(d) && socket_name(d, &at, &e) == 0) {
		unlink(at.sun_path);
		cgroup_remove(&d->cgroup, KEEP_CGROUP);
	}
	lose(k);
	if (k->process.fd >= 0)
		close(k->process.fd);
	*k = (struct keep){.link = -1, .process.fd = -1};
}
