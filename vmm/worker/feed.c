/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/feed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/vdev.h"
#include "vmm/worker/terminal.h"

/* Standard input has one reader. */
static void find_console(struct feed *f, struct vdev *d)
{
	for (unsigned i = 0; i < d->n_wants; i++) {
		struct vdev_want *w = &d->want[i];

		if (w->kind != WANT_INPUT || w->fd < 0 || strcmp(w->path, "-") != 0)
			continue;
		if (f->console_fd < 0) {
			f->console_fd = w->fd;
			continue;
		}
		vdev_warn(d, "vdev %s also reads standard input, which another vdev gets", d->name);
		close(w->fd);
		w->fd = -1;
	}
}

int feed_open(struct feed *f, struct board *b, struct err *e)
{
	*f = (struct feed){.room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .console_fd = -1};
	if (f->room_fd < 0)
		return err_sys(e, RESOURCE, "make an eventfd for console input");
	f->line = calloc((size_t)b->n_vdevs + 1, sizeof(*f->line));
	if (!f->line)
		abort();
	for (unsigned i = 0; i < b->n_vdevs; i++) {
		struct vdev *d = b->vdev[i];

		if (!d->hostdev)
			continue;
		find_console(f, d);
		d->room_fd = f->room_fd;
		f->line[f->n++] = d->hostdev;
	}
	return 0;
}

unsigned feed_polls(const struct feed *f)
{
	return f->n * HOSTDEV_ENDS + 1;
}

void feed_poll(struct feed *f, struct pollfd *ret)
{
	ret[0] = (struct pollfd){.fd = f->n ? f->room_fd : -1, .events = POLLIN};
	for (unsigned i = 0; i < f->n; i++)
		hostdev_poll(f->line[i], ret + 1 + (size_t)i * HOSTDEV_ENDS);
}

struct escape {
	struct feed *feed;
	bool *leave;
};

static size_t filter(void *arg, int fd, uint8_t *bytes, size_t n)
{
	struct escape *x = arg;

	if (fd != x->feed->console_fd || !terminal_is_raw())
		return n;
	return terminal_escape(bytes, n, &x->feed->escape, x->leave);
}

void feed_take(struct feed *f, const struct pollfd *polled, bool *ret_leave)
{
	struct escape x = {f, ret_leave};
	uint64_t count;

	if (polled[0].revents) /* only its readability means something */
		(void)!read(f->room_fd, &count, sizeof count);
	for (unsigned i = 0; i < f->n; i++)
		hostdev_serve(f->line[i], polled + 1 + (size_t)i * HOSTDEV_ENDS, filter, &x);
}

bool feed_drain(struct feed *f, struct pollfd *ret)
{
	bool is_any_behind = false;

	ret[0] = (struct pollfd){.fd = -1};
	for (unsigned i = 0; i < f->n; i++)
		is_any_behind |= hostdev_drain(f->line[i], ret + 1 + (size_t)i * HOSTDEV_ENDS);
	return is_any_behind;
}

void feed_give_up(struct feed *f)
{
	for (unsigned i = 0; i < f->n; i++)
		hostdev_give_up(f->line[i]);
}

void feed_close(struct feed *f)
{
	for (unsigned i = 0; i < f->n; i++)
		f->line[i]->vdev->room_fd = -1;
	if (f->line)
		close(f->room_fd);
	free(f->line);
	*f = (struct feed){.room_fd = -1, .console_fd = -1};
}
