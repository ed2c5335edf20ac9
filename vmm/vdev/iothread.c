/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/iothread.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "vmm/vdev/thread.h"
#include "vmm/vdev/vdev.h"

enum { EVENTS = 16 };

const struct sandbox_allow iothread_syscalls[] = {SANDBOX_CALL(epoll_wait), SANDBOX_CALL(epoll_ctl),
						  SANDBOX_END};

static struct iothread_watch *find(struct iothread *t, int fd)
{
	for (unsigned i = 0; i < t->n_watches; i++)
		if (t->watch[i].fd == fd)
			return &t->watch[i];
	return NULL;
}

/* An event may be older than the watch: what is no longer asked for is dropped. */
static bool wanted(struct iothread *t, int fd, uint32_t events, struct iothread_watch *ret)
{
	const struct iothread_watch *w;
	bool is_wanted;

	pthread_mutex_lock(&t->lock);
	w = find(t, fd);
	is_wanted = w && events & (w->events | EPOLLHUP | EPOLLERR);
	if (is_wanted)
		*ret = *w;
	pthread_mutex_unlock(&t->lock);
	return is_wanted;
}

/* True if it had been rung. */
static bool silence(int bell)
{
	uint64_t n;

	return read(bell, &n, sizeof n) == sizeof n;
}

/* Deliver n events; false when it is time to leave. Each under the lock anew: who waits for it gets it. */
static bool deliver(struct iothread *t, const struct epoll_event *event, int n)
{
	for (int i = 0; i < n; i++) {
		struct iothread_watch w;

		if (event[i].data.fd == t->stop_fd)
			return false;
		pthread_mutex_lock(&t->vdev->lock);
		if (wanted(t, event[i].data.fd, event[i].events, &w) &&
		    (!w.is_bell || silence(w.fd)))
			w.ready(t->vdev, w.fd, event[i].events);
		pthread_mutex_unlock(&t->vdev->lock);
	}
	return true;
}

static void *run(void *arg)
{
	struct iothread *t = arg;
	struct epoll_event event[EVENTS];
	char name[16]; /* what the kernel keeps */
	int n = 0;

	str_copy(name, sizeof name, t->vdev->name);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&t->lock);
	t->is_ready = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	do {
		/* Its own fd and constants: fails by a signal alone. */
		n = epoll_wait(t->epoll_fd, event, EVENTS, -1);
	} while (deliver(t, event, n));
	return NULL;
}

static int start(struct iothread *t, struct err *e)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.fd = t->stop_fd};

	if (t->epoll_fd < 0 || t->stop_fd < 0 ||
	    epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->stop_fd, &stop) < 0)
		return err_sys(e, START, "make the event queue of vdev '%s'", t->vdev->name);
	if (thread_spawn(&t->thread, run, t, t->vdev->name, e) < 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	while (!t->is_ready)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static void clean(struct iothread *t)
{
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	if (t->stop_fd >= 0)
		close(t->stop_fd);
	for (unsigned i = 0; i < t->n_watches; i++)
		if (t->watch[i].is_bell)
			close(t->watch[i].fd);
	free(t->watch);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->changed);
	*t = (struct iothread){0};
}

int iothread_spawn(struct iothread *t, struct vdev *d, iothread_ready *ready, struct err *e)
{
	*t = (struct iothread){.vdev = d,
			       .ready = ready,
			       .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
			       .stop_fd = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	if (start(t, e) == 0)
		return 0;
	clean(t);
	return -1;
}

static struct iothread_watch *add(struct iothread *t)
{
	if (t->n_watches == t->room) {
		t->room = t->room ? t->room * 2 : 8;
		t->watch = reallocarray(t->watch, t->room, sizeof *t->watch);
		if (!t->watch)
			abort();
	}
	return &t->watch[t->n_watches++];
}

/* Under its lock. */
static int change(struct iothread *t, const struct iothread_watch *to, struct err *e)
{
	struct epoll_event event = {.events = to->events, .data.fd = to->fd};
	struct iothread_watch *w = find(t, to->fd);

	if (!to->events) {
		if (w) {
			epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, to->fd, NULL);
			*w = t->watch[--t->n_watches];
		}
		return 0;
	}
	if (!w && t->n_watches == IOTHREAD_WATCHES)
		return err_set(e, RESOURCE, "vdev '%s' waits for %d fds already, the most there is",
			       t->vdev->name, IOTHREAD_WATCHES);
	if (epoll_ctl(t->epoll_fd, w ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, to->fd, &event) < 0)
		return err_sys(e, RESOURCE, "wait for fd %d of vdev '%s'", to->fd, t->vdev->name);
	*(w ? w : add(t)) = *to;
	return 0;
}

static int watch(struct iothread *t, const struct iothread_watch *to, struct err *e)
{
	int r;

	pthread_mutex_lock(&t->lock);
	r = change(t, to, e);
	pthread_mutex_unlock(&t->lock);
	return r;
}

int iothread_watch_by(struct iothread *t, int fd, uint32_t events, iothread_ready *ready,
		      struct err *e)
{
	struct iothread_watch to = {fd, events, ready, false};

	return watch(t, &to, e);
}

int iothread_watch(struct iothread *t, int fd, uint32_t events, struct err *e)
{
	return iothread_watch_by(t, fd, events, t->ready, e);
}

int iothread_bell(struct iothread *t, iothread_ready *ready, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct iothread_watch to = {fd, EPOLLIN, ready, true};

	if (fd < 0)
		return err_sys(e, START, "make a doorbell of vdev '%s'", t->vdev->name);
	if (watch(t, &to, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void iothread_stop(struct iothread *t)
{
	static const uint64_t one = 1;

	if (!t->vdev)
		return;
	/* A counter that nobody else writes to takes it. */
	if (write(t->stop_fd, &one, sizeof one) != sizeof one)
		abort();
	pthread_join(t->thread, NULL);
	clean(t);
}
