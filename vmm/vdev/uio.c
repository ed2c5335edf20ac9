/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/uio.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/blackbox.h"
#include "schemas/cause.h"
#include "vmm/vdev/vdev.h"

int uio_line_open(struct uio_line *l, struct vdev *d, int uio_fd, int arm_fd, iothread_ready *ready,
		  struct err *e)
{
	*l = (struct uio_line){.held = {d->intr, -1, -1}, .uio_fd = uio_fd, .arm_fd = arm_fd};
	l->held.raise = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->held.raise < 0)
		return err_sys(e, START, "make an eventfd for line %d", d->intr);
	if (iothread_spawn(&l->thread, d, ready, e) < 0 ||
	    iothread_bell(&l->thread, ready, &l->held.served, e) < 0 ||
	    machine_hold_line(d->machine, &l->held, true, e) < 0)
		return -1;
	return iothread_watch(&l->thread, uio_fd, EPOLLIN, e);
}

void uio_line_arm(const struct uio_line *l, bool is_on)
{
	const uint32_t order = is_on;

	/* A driver that masks nothing takes no order (ENOSYS); a full pipe holds the same one already. */
	if (!l->thread.vdev || write(l->arm_fd, &order, sizeof order) >= 0 || errno != EPIPE)
		return;
	if (is_on) /* else it is the end anyway */
		machine_end_by(l->thread.vdev->machine, CAUSE_VDEV_ERROR, 0,
			       "the process that arms its interrupt has gone");
}

void uio_line_signal(struct uio_line *l, int fd)
{
	struct vdev *d = l->thread.vdev;
	uint32_t count;

	if (fd == l->held.served) {
		uio_line_arm(l, true);
	} else if (read(l->uio_fd, &count, sizeof count) == sizeof count) {
		atomic_fetch_add_explicit(&machine_counters(d->machine, d)->interrupts, 1,
					  memory_order_relaxed);
		(void)!write(l->held.raise, &(uint64_t){1}, sizeof(uint64_t));
	}
}

void uio_line_close(struct uio_line *l)
{
	if (!l->thread.vdev)
		return;
	uio_line_arm(l, false);
	iothread_stop(&l->thread);
	close(l->held.raise);
	*l = (struct uio_line){0};
}
