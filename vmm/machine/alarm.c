/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/alarm.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/vdev/vdev.h"

enum { NS_PER_S = 1000000000 };

int alarm_init(struct alarm *a, alarm_passed *passed, void *arg, struct err *e)
{
	*a = (struct alarm){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			    .armed_ns = UINT64_MAX,
			    .passed = passed,
			    .arg = arg};
	pthread_mutex_init(&a->lock, NULL);
	if (a->fd < 0)
		return err_sys(e, RESOURCE, "make the timer of the vdevs");
	return 0;
}

void alarm_destroy(struct alarm *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	pthread_mutex_destroy(&a->lock);
}

static int arm(struct alarm *a, uint64_t at_ns, struct err *e)
{
	struct itimerspec t = {.it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S),
					    .tv_nsec = (long)(at_ns % NS_PER_S)}};
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	if (at_ns < a->armed_ns) {
		rc = timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &t, NULL);
		if (rc < 0)
			err_sys(e, RESOURCE, "set the timer of the vdevs");
		else
			a->armed_ns = at_ns;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int alarm_set(struct alarm *a, struct vdev *d, uint64_t at_ns, struct err *e)
{
	d->alarm_ns = at_ns;
	return at_ns ? arm(a, at_ns, e) : 0;
}

/* Whatever the timer was set to is over. From here on each deadline that is left is either seen by
 * the walk over the vdevs or set after it, and arms the timer both ways. */
static void disarm(struct alarm *a)
{
	uint64_t count;

	pthread_mutex_lock(&a->lock);
	(void)!read(a->fd, &count, sizeof count); /* empty when another call was quicker */
	a->armed_ns = UINT64_MAX;
	pthread_mutex_unlock(&a->lock);
}

static int serve(struct alarm *a, struct vdev *d, uint64_t now_ns, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&d->lock);
	if (d->alarm_ns && d->alarm_ns <= now_ns) {
		d->alarm_ns = 0;
		if (a->passed)
			a->passed(a->arg, d);
		d->class->alarm(d, now_ns);
	}
	if (d->alarm_ns)
		rc = arm(a, d->alarm_ns, e);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

int alarm_serve(struct alarm *a, struct vdev *const *vdev, unsigned n, uint64_t now_ns,
		struct err *e)
{
	disarm(a);
	for (unsigned i = 0; i < n; i++)
		if (vdev[i]->class->alarm && serve(a, vdev[i], now_ns, e) < 0)
			return -1;
	return 0;
}
