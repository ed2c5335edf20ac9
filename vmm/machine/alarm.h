/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarm.h - one timer for the deadlines of all vdevs, so that none needs a thread. Worker; part of
 * struct machine. Vdevs reach it by machine_alarm().
 *
 * A vdev's deadline is its alarm_ns, guarded by its lock like the rest of its state; the timer is
 * armed for the earliest one, or earlier: to put a deadline off (a watchdog that is fed) or to
 * cancel it makes no system call, the timer then fires once for nothing. The alarm's own lock is
 * taken last.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"

struct vdev;

/* A vdev's deadline has passed, and none is set: under its lock, before its alarm(). */
typedef void alarm_passed(void *arg, const struct vdev *d);

struct alarm {
	int fd; /* timerfd, readable when a deadline may have passed; -1 = none */
	pthread_mutex_t lock;
	uint64_t armed_ns; /* what the timer is set to; UINT64_MAX = nothing */
	alarm_passed *passed;
	void *arg;
};

/* `passed` may be NULL. */
int alarm_init(struct alarm *a, alarm_passed *passed, void *arg, struct err *e);
/* Set the vdev's deadline, monotonic; 0 = none. Any thread that holds the vdev's lock. */
int alarm_set(struct alarm *a, struct vdev *d, uint64_t at_ns, struct err *e);
/* fd is readable: call alarm() of every vdev whose deadline is not after now_ns, each under its lock,
 * and arm the timer anew. The loop's thread, without any lock. */
int alarm_serve(struct alarm *a, struct vdev *const *vdev, unsigned n, uint64_t now_ns,
		struct err *e);
void alarm_destroy(struct alarm *a);
