/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/shmem/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/packet.h"
#include "base/sandbox.h"
#include "base/str.h"
#include "schemas/cause.h"

enum { BURST = 256, PERIOD_MS = 250 }; /* at most so many requests of a link in that time */
enum { POLL_LISTENER, POLL_LINKS };

struct link {
	struct link *next;
	int fd;
	bool is_introduced;
	unsigned n_served; /* in this period */
	struct registry_link holds;
};

struct server {
	int listener;
	struct registry registry;
	struct link *first;
	unsigned n_links;
	uint64_t period_ends_ms;
	struct pollfd poll[POLL_LINKS + SHMEM_SERVER_LINKS];
};

static const struct sandbox_allow keeping[] = {
	SANDBOX_CALL(accept4),
	SANDBOX_CALL(brk),
	SANDBOX_CALL(clock_gettime),
	SANDBOX_CALL(close),
	SANDBOX_CALL(exit_group),
	SANDBOX_CALL(fallocate),
	SANDBOX_ARG(fcntl, 1, F_ADD_SEALS),
	SANDBOX_CALL(ftruncate),
	SANDBOX_CALL(futex),
	SANDBOX_CALL(madvise),
	SANDBOX_CALL(memfd_create),
	SANDBOX_CALL(mmap),
	SANDBOX_CALL(munmap),
	SANDBOX_CALL(ppoll),
	SANDBOX_CALL(recvfrom),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(sendmsg),
	SANDBOX_END,
};

/* --- links --- */

static void accept_all(struct server *s)
{
	int fd;

	while (s->n_links < SHMEM_SERVER_LINKS &&
	       (fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct link *l = calloc(1, sizeof *l);

		if (!l)
			abort();
		*l = (struct link){.next = s->first, .fd = fd};
		s->first = l;
		s->n_links++;
	}
}

static void drop(struct server *s, struct link *l)
{
	struct link **at = &s->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	s->n_links--;
	registry_drop(&s->registry, &l->holds);
	close(l->fd);
	free(l);
}

/* Who does not take its answers gets no more. */
static int answer(const struct link *l, const struct shmem_answer *a, int fd)
{
	return packet_send(l->fd, a, sizeof *a, fd);
}

static int introduce(struct server *s, struct link *l, const struct shmem_hello *h, size_t n)
{
	struct shmem_answer welcome = {.status = SHMEM_OK};

	if (n != sizeof *h || !str_is_terminated(h->rules, sizeof h->rules) ||
	    !shmem_are_rules(h->rules))
		return -1;
	str_copy(l->holds.rules, sizeof l->holds.rules, h->rules);
	s->registry.budget_bytes = h->budget_bytes;
	l->is_introduced = true;
	return answer(l, &welcome, -1);
}

/* One packet: 0, or -1 when the link is at its end. */
static int serve(struct server *s, struct link *l)
{
	union {
		struct shmem_hello hello;
		struct shmem_request request;
	} u;
	ssize_t n = recv(l->fd, &u, sizeof u, MSG_DONTWAIT | MSG_TRUNC);
	struct shmem_answer a;
	int fd;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	l->n_served++;
	if (!l->is_introduced)
		return introduce(s, l, &u.hello, (size_t)n);
	if (n != sizeof u.request)
		return -1;
	registry_serve(&s->registry, &l->holds, &u.request, &a, &fd);
	return answer(l, &a, fd);
}

/* --- the loop --- */

/* How long to wait: for ever, unless somebody has had its share of this period. */
static struct timespec *patience(struct server *s, struct timespec *ret)
{
	uint64_t now_ms = clock_mono_ms();
	bool has_waiter = false;

	if (now_ms >= s->period_ends_ms) {
		s->period_ends_ms = now_ms + PERIOD_MS;
		for (struct link *l = s->first; l; l = l->next)
			l->n_served = 0;
	}
	for (const struct link *l = s->first; l; l = l->next)
		has_waiter = has_waiter || l->n_served >= BURST;
	*ret = (struct timespec){.tv_nsec = (long)(s->period_ends_ms - now_ms) * 1000000};
	return has_waiter ? ret : NULL;
}

static void wait_for_all(struct server *s)
{
	struct timespec time;
	struct timespec *limit = patience(s, &time);
	struct pollfd *p = s->poll + POLL_LINKS;

	s->poll[POLL_LISTENER] =
		(struct pollfd){s->n_links < SHMEM_SERVER_LINKS ? s->listener : -1, POLLIN, 0};
	for (const struct link *l = s->first; l; l = l->next)
		*p++ = (struct pollfd){l->fd, l->n_served < BURST ? POLLIN : 0, 0};
	if (ppoll(s->poll, (nfds_t)(p - s->poll), limit, NULL) < 0)
		for (; p > s->poll; p--)
			p[-1].revents = 0;
}

/* In the order in which wait_for_all() has put them. */
static void serve_all(struct server *s)
{
	const struct pollfd *p = s->poll + POLL_LINKS;

	for (struct link *l = s->first, *next; l; l = next, p++) {
		next = l->next;
		/* What is left in a queue of one that has gone is of no interest. */
		if (p->revents & (POLLHUP | POLLERR) || (p->revents && serve(s, l) < 0))
			drop(s, l);
	}
	accept_all(s);
}

int shmem_server_serve(int listener, const struct sandbox_spec *sandbox)
{
	const struct sandbox_allow *const lists[] = {keeping};
	struct server *s = calloc(1, sizeof *s);
	uint32_t layers;
	struct err e;

	if (!s)
		abort();
	*s = (struct server){.listener = listener};
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_enter(sandbox, &layers, &e) < 0 ||
	    sandbox_filter(lists, NELEMS(lists), &e) < 0) {
		free(s);
		return cause_exit(CAUSE_RESOURCE);
	}
	for (accept_all(s); s->first; serve_all(s))
		wait_for_all(s);
	free(s);
	return 0;
}

int shmem_server_run(const char *uid)
{
	uid_t id = (uid_t)strtoul(uid, NULL, 10);
	struct sandbox_spec spec = {.max_fds = SHMEM_SERVER_FDS, .uid = id, .gid = id};

	if (fcntl(SHMEM_SERVER_FD, F_GETFD) < 0) {
		fputs("qvm: --shmem is how qvmd starts the server of shared memory: fd 3 must be "
		      "its "
		      "socket; a lone qvm starts one by itself\n",
		      stderr);
		return cause_exit(CAUSE_CONFIGURATION);
	}
	fcntl(SHMEM_SERVER_FD, F_SETFL, O_NONBLOCK);
	return shmem_server_serve(SHMEM_SERVER_FD, &spec);
}
