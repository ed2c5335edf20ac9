/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iothread.h - a thread of one vdev that waits for fds of the host and calls the vdev back under its
 * lock, so that a slow peer holds no vCPU and the vdev needs no locks of its own. Worker; a member of
 * the vdev's state (zeroed).
 *
 * The class sets .has_iothread, which lets the system calls in, spawns it in assemble() and stops it
 * in stop() (and in destroy(), for a vdev that was never started). An fd stays its owner's, who has
 * it forgotten before closing it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sandbox.h"

struct vdev;

enum { IOTHREAD_WATCHES = 1024 };

/* Something happened at fd: EPOLLIN, ... Under the vdev's lock. EPOLLHUP and EPOLLERR come unasked, again
 * and again until the fd is forgotten. */
typedef void iothread_ready(struct vdev *d, int fd, uint32_t events);

struct iothread_watch {
	int fd;
	uint32_t events;
	iothread_ready *ready;
	bool is_bell; /* the thread's own eventfd */
};

struct iothread {
	struct vdev *vdev; /* NULL = never spawned */
	iothread_ready *ready;
	pthread_t thread;
	int epoll_fd, stop_fd;
	pthread_cond_t changed;
	bool is_ready;
	pthread_mutex_t lock; /* of the watches; taken after the vdev's */
	struct iothread_watch *watch;
	unsigned n_watches, room;
};

/* Returns once the thread waits: the final filter may come. The caller does not hold the vdev's lock. */
int iothread_spawn(struct iothread *t, struct vdev *d, iothread_ready *ready, struct err *e);
/* Wait for events at fd, from now on instead of those before; 0 = forget it, which cannot fail. From
 * any thread, with or without the vdev's lock. */
int iothread_watch(struct iothread *t, int fd, uint32_t events, struct err *e);
/* The same with a callback of its own. */
int iothread_watch_by(struct iothread *t, int fd, uint32_t events, iothread_ready *ready,
		      struct err *e);
/* Make an eventfd and wait for it; it is counted down before the call. The thread closes it when it is
 * stopped. */
int iothread_bell(struct iothread *t, iothread_ready *ready, int *ret_fd, struct err *e);
/* End it and wait for that; one never spawned is fine. The caller does not hold the vdev's lock. */
void iothread_stop(struct iothread *t);

/* Needed after START. */
extern const struct sandbox_allow iothread_syscalls[];
