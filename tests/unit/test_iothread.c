/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a vdev: callbacks under its lock, for what is asked for and nothing else. */
#include "vmm/vdev/iothread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/vdev/vdev.h"

struct told {
	struct iothread thread;
	pthread_cond_t changed;
	unsigned n_ready, n_rung;
	int fd; /* of the last one */
};

static const struct vdev_class class = {
	.name = "told", .intr = -1, .state_bytes = sizeof(struct told)};

/* Takes what is there, as a device does. */
static void ready(struct vdev *d, int fd, uint32_t events)
{
	struct told *t = d->state;
	uint64_t n;

	assert_int_equal(pthread_mutex_trylock(&d->lock), EBUSY);
	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &n, sizeof n), sizeof n);
	t->fd = fd;
	t->n_ready++;
	pthread_cond_signal(&t->changed);
}

static void rung(struct vdev *d, int fd, uint32_t events)
{
	struct told *t = d->state;

	(void)events;
	t->fd = fd;
	t->n_rung++;
	pthread_cond_signal(&t->changed);
}

static struct vdev *set_up(void)
{
	struct vdev *d = vdev_new(&class, 1);
	struct told *t = d->state;
	struct err e;

	pthread_cond_init(&t->changed, NULL);
	assert_int_equal(iothread_spawn(&t->thread, d, ready, &e), 0);
	return d;
}

static void add_one(int fd)
{
	assert_int_equal(eventfd_write(fd, 1), 0);
}

/* Wait until *n is `least`. */
static void await(struct vdev *d, const unsigned *n, unsigned least)
{
	struct told *t = d->state;

	pthread_mutex_lock(&d->lock);
	while (*n < least)
		pthread_cond_wait(&t->changed, &d->lock);
	assert_int_equal(*n, least);
	pthread_mutex_unlock(&d->lock);
}

TEST(iothread_calls_back_for_the_fds_that_it_watches_and_for_no_others)
{
	int one = eventfd(0, EFD_CLOEXEC), two = eventfd(0, EFD_CLOEXEC);
	struct vdev *d = set_up();
	struct told *t = d->state;
	struct err e;

	assert_int_equal(iothread_watch(&t->thread, one, EPOLLIN, &e), 0);
	assert_int_equal(iothread_watch(&t->thread, two, EPOLLIN, &e), 0);
	add_one(one);
	await(d, &t->n_ready, 1);
	assert_int_equal(t->fd, one);
	assert_int_equal(iothread_watch(&t->thread, one, 0, &e), 0);
	assert_int_equal(iothread_watch(&t->thread, one, 0, &e), 0);
	add_one(one);
	add_one(two);
	await(d, &t->n_ready, 2);
	assert_int_equal(t->fd, two);
	assert_int_equal(iothread_watch(&t->thread, one, EPOLLIN, &e), 0); /* level-triggered */
	await(d, &t->n_ready, 3);
	iothread_stop(&t->thread);
	iothread_stop(&t->thread);
	vdev_free(d);
	close(one);
	close(two);
}

TEST(iothread_drops_an_event_whose_fd_is_forgotten_before_its_turn)
{
	int fd = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
	struct vdev *d = set_up();
	struct told *t = d->state;
	struct err e;

	assert_int_equal(iothread_watch(&t->thread, fd, EPOLLIN, &e), 0);
	assert_int_equal(iothread_watch(&t->thread, other, EPOLLIN, &e), 0);
	pthread_mutex_lock(&d->lock);
	add_one(fd);
	usleep(20000); /* usually enough for the thread to wait for the lock */
	assert_int_equal(iothread_watch(&t->thread, fd, 0, &e), 0);
	pthread_mutex_unlock(&d->lock);
	add_one(other);
	await(d, &t->n_ready, 1);
	assert_int_equal(t->fd, other);
	iothread_stop(&t->thread);
	vdev_free(d);
	close(fd);
	close(other);
}

TEST(iothread_counts_its_bells_down_and_closes_them)
{
	struct vdev *d = set_up();
	struct told *t = d->state;
	struct err e;
	int bell;

	assert_int_equal(iothread_bell(&t->thread, rung, &bell, &e), 0);
	add_one(bell);
	await(d, &t->n_rung, 1);
	assert_int_equal(t->fd, bell);
	add_one(bell);
	await(d, &t->n_rung, 2);
	iothread_stop(&t->thread);
	assert_int_equal(close(bell), -1);
	vdev_free(d);
}

TEST(iothread_refuses_an_fd_that_cannot_be_waited_for)
{
	struct vdev *d = set_up();
	struct told *t = d->state;
	struct err e;

	assert_int_equal(iothread_watch(&t->thread, -1, EPOLLIN, &e), -1);
	assert_int_equal(e.code, ERR_RESOURCE);
	assert_int_equal(iothread_watch(&t->thread, -1, 0, &e), 0);
	iothread_stop(&t->thread);
	vdev_free(d);
}
