/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/feed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/worker/terminal.h"
#include "vmm/vdev/vdev.h"

enum { CHUNK = 1024 };

static void add(struct feed *f, struct vdev *d, const struct vdev_want *w)
{
	bool is_console = !strcmp(w->path, "-");

	for (unsigned i = 0; is_console && i < f->n; i++) {
		if (!f->end[i].is_console)
			continue;
		log_warn(NULL, "vdev %s and vdev %s both read standard input: %s gets it",
			 f->end[i].vdev->name, d->name, f->end[i].vdev->name);
		return;
	}
	d->room_fd = f->room_fd;
	f->end[f->n++] = (struct feed_end){d, w->fd, is_console, false};
}

int feed_open(struct feed *f, struct board *b, struct err *e)
{
	*f = (struct feed){.room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (f->room_fd < 0)
		return err_sys(e, RESOURCE, "make an eventfd for console input");
	f->end = calloc((size_t)b->n_vdevs * VDEV_WANTS + 1, sizeof *f->end);
	if (!f->end)
		abort();
	for (unsigned i = 0; i < b->n_vdevs; i++)
		for (unsigned w = 0; w < b->vdev[i]->n_wants; w++)
			if (b->vdev[i]->want[w].kind == WANT_INPUT && b->vdev[i]->want[w].fd >= 0)
				add(f, b->vdev[i], &b->vdev[i]->want[w]);
	return 0;
}

unsigned feed_polls(const struct feed *f)
{
	return f->n + 1;
}

void feed_poll(struct feed *f, struct pollfd *ret)
{
	ret[0] = (struct pollfd){.fd = f->n ? f->room_fd : -1, .events = POLLIN};
	for (unsigned i = 0; i < f->n; i++) {
		const struct feed_end *end = &f->end[i];
		bool waits = !end->is_at_end && vdev_room(end->vdev) > 0;

		ret[1 + i] = (struct pollfd){.fd = waits ? end->fd : -1, .events = POLLIN};
	}
}

static void take(struct feed *f, struct feed_end *end, bool *ret_leave)
{
	uint8_t bytes[CHUNK];
	size_t room = vdev_room(end->vdev);
	ssize_t n;

	if (room == 0)
		return;
	n = read(end->fd, bytes, room < sizeof bytes ? room : sizeof bytes);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		if (n < 0)
			log_warn(NULL, "vdev %s cannot read its input any more: %m",
				 end->vdev->name);
		end->is_at_end = true;
		return;
	}
	if (end->is_console && terminal_is_raw())
		n = (ssize_t)terminal_escape(bytes, (size_t)n, &f->escape, ret_leave);
	vdev_input(end->vdev, bytes, (size_t)n);
}

void feed_take(struct feed *f, const struct pollfd *polled, bool *ret_leave)
{
	uint64_t count;

	if (polled[0].revents) /* only its readability means something */
		(void)!read(f->room_fd, &count, sizeof count);
	for (unsigned i = 0; i < f->n; i++)
		if (polled[1 + i].revents)
			take(f, &f->end[i], ret_leave);
}

void feed_close(struct feed *f)
{
	for (unsigned i = 0; i < f->n; i++)
		f->end[i].vdev->room_fd = -1;
	if (f->end)
		close(f->room_fd);
	free(f->end);
	*f = (struct feed){.room_fd = -1};
}
