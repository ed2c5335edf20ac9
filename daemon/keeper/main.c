/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qvm-keeper - holds what must outlive the supervisor: its ends of the workers' links, black boxes,
 * guest memory. It decides nothing, opens nothing and reads nothing of it; the next supervisor takes it
 * back and goes on. It ends when it has nothing to hold and nobody is there.
 *
 * fd 3: the link of the supervisor that started it; fd 4: the bound socket for the next ones, which
 * only their user can connect to.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "daemon/keeper/shelf.h"
#include "daemon/keeper/visit.h"

enum { FIRST_FD = 3, DOOR_FD = 4, BACKLOG = 4 };

static struct shelf shelf;

static const struct sandbox_allow allowed[] = {
	SANDBOX_CALL(accept4),
	SANDBOX_CALL(recvmsg),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(shutdown),
	SANDBOX_CALL(ppoll),
	SANDBOX_CALL(close),
	SANDBOX_CALL(write), /* its log */
	SANDBOX_CALL(writev),
	SANDBOX_CALL(clock_gettime), /* where the vDSO has no clock */
	SANDBOX_CALL(brk),
	SANDBOX_CALL(mmap),
	SANDBOX_CALL(mremap),
	SANDBOX_CALL(munmap),
	SANDBOX_CALL(madvise),
	SANDBOX_CALL(rt_sigaction), /* abort() */
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(getpid),
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(tgkill),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(exit_group),
	SANDBOX_END,
};

/* As many descriptors as the host permits: several a VM. */
static unsigned raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1024;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	return (unsigned)l.rlim_max;
}

/* The supervisor's user, who started it, is who may connect: nobody else may write to the socket. */
static int enter(uid_t uid, struct err *e)
{
	const struct sandbox_allow *list[] = {allowed};
	struct sandbox_spec spec = {
		.uid = uid, .gid = uid, .max_fds = raise_limit(), .max_threads = 1};
	uint32_t layers;

	/* The kernel notes the listener's process: the next supervisor holds it by that. */
	if (listen(DOOR_FD, BACKLOG) < 0)
		return err_sys(e, RESOURCE, "listen for the next supervisor");
	return sandbox_enter(&spec, &layers, e) < 0 ? -1 : sandbox_filter(list, NELEMS(list), e);
}

static void part(struct visit *v, const struct err *why)
{
	if (why->code == ERR_PROTOCOL)
		log_error(&(struct log_about){.err = why}, "the supervisor is left: %s", why->msg);
	close(v->link);
	*v = (struct visit){.link = -1};
	shelf_orphan(&shelf, clock_mono_ms());
}

/* There is one supervisor at a time, by its locks: who comes later is the one. */
static void welcome(struct visit *v)
{
	int link = accept4(DOOR_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err e;

	if (link < 0)
		return;
	/* What the last one said before it died counts. */
	if (v->link >= 0) {
		visit_serve(v, &shelf, &e);
		close(v->link);
	}
	*v = (struct visit){.link = link};
	shelf_adopt(&shelf);
}

static void run(void)
{
	struct visit v = {.link = FIRST_FD};
	struct err e;

	while (v.link >= 0 || shelf.n) {
		uint64_t now_ms = clock_mono_ms(), next_ms = shelf_shut_due(&shelf, now_ms);
		uint64_t wait_ms = next_ms - now_ms;
		struct timespec t = {.tv_sec = (time_t)(wait_ms / 1000),
				     .tv_nsec = (long)(wait_ms % 1000) * 1000000};
		struct pollfd p[] = {{DOOR_FD, POLLIN, 0}, {v.link, visit_wants(&v), 0}};

		if (ppoll(p, NELEMS(p), next_ms ? &t : NULL, NULL) <= 0)
			continue;
		if (p[0].revents)
			welcome(&v);
		else if (p[1].revents && visit_serve(&v, &shelf, &e) < 0)
			part(&v, &e);
	}
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("qvm-keeper " QVM_VERSION);
		return 0;
	}
	if (argc != 3 || strcmp(argv[1], "--uid") != 0) {
		fputs("qvm-keeper: qvmd starts this program; it is of no use to people\n", stderr);
		return err_exit(ERR_USAGE);
	}
	log_open("qvm-keeper", log_to_stderr, LOG_INFO);
	for (int s = SIGHUP; s <= SIGTERM; s++)
		if (s == SIGHUP || s == SIGINT || s == SIGTERM || s == SIGPIPE)
			signal(s, SIG_IGN);
	if (enter((uid_t)strtoul(argv[2], NULL, 10), &e) < 0) {
		log_error(&(struct log_about){.err = &e}, "does not start: %s", e.msg);
		return err_exit((enum err_code)e.code);
	}
	run();
	shelf_clear(&shelf);
	return 0;
}
