/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/hostdev.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pty.h"
#include "schemas/message.h"
#include "vmm/machine/machine.h"

/* A terminal that polls writable takes 256 bytes (tty_poll() of the kernel), a pipe a page. */
enum { TTY_PIECE = 256, PIPE_PIECE = 4096, READ_PIECE = 1024 };

const struct sandbox_allow hostdev_syscalls[] = {SANDBOX_CALL(write), SANDBOX_CALL(accept4),
						 SANDBOX_CALL(shutdown), SANDBOX_END};

struct hostdev *hostdev_new(struct vdev *d)
{
	struct hostdev *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->vdev = d;
	return h;
}

struct hostdev *hostdev_free(struct hostdev *h)
{
	for (unsigned i = 0; h && i < h->n_ends; i++)
		if (h->end[i].is_viewer)
			close(h->end[i].fd);
	free(h);
	return NULL;
}

/* --- ends --- */

static void name_pty(const struct hostdev *h, const struct vdev_want *w)
{
	char name[PTY_NAME];

	if (pty_name(w->fd, name) == 0)
		vdev_info(h->vdev, "vdev %s: its line is the terminal %s%s%s", h->vdev->name, name,
			  w->path[0] ? ", also called " : "", w->path);
}

static struct hostdev_end *add(struct hostdev *h, const struct vdev_want *w, int fd)
{
	struct hostdev_end *end = &h->end[h->n_ends++];

	*end = (struct hostdev_end){.want = w, .fd = fd, .at = h->written};
	return end;
}

static void open_end(struct hostdev *h, const struct vdev_want *w)
{
	struct hostdev_end *end = add(h, w, w->fd);
	int flags = fcntl(w->fd, F_GETFL);
	struct winsize size;
	struct termios t;
	struct stat st;

	end->is_listener = w->kind == WANT_SOCKET;
	end->has_output = w->kind == WANT_OUTPUT || w->kind == WANT_COMMAND || w->kind == WANT_PTY;
	end->has_input = w->kind == WANT_INPUT || w->kind == WANT_PTY;
	end->holds = end->has_output && w->kind != WANT_PTY;
	end->may_wait = !(flags & O_NONBLOCK) && !(fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode));
	end->is_tty = tcgetattr(w->fd, &t) == 0;
	if (end->is_tty && !h->columns && ioctl(w->fd, TIOCGWINSZ, &size) == 0) {
		h->columns = size.ws_col;
		h->rows = size.ws_row;
	}
	if (w->kind == WANT_PTY)
		name_pty(h, w);
}

void hostdev_open(struct hostdev *h)
{
	for (unsigned i = 0; i < h->vdev->n_wants; i++)
		if (h->vdev->want[i].fd >= 0)
			open_end(h, &h->vdev->want[i]);
}

bool hostdev_size(const struct hostdev *h, uint16_t *ret_columns, uint16_t *ret_rows)
{
	if (!h->columns || !h->rows)
		return false;
	*ret_columns = h->columns;
	*ret_rows = h->rows;
	return true;
}

bool hostdev_has_input(const struct hostdev *h)
{
	for (unsigned i = 0; i < h->n_ends; i++)
		if (h->end[i].has_input || h->end[i].is_listener)
			return true;
	return h->vdev->takes_console;
}

static void remove_end(struct hostdev *h, struct hostdev_end *end)
{
	close(end->fd);
	*end = h->end[--h->n_ends];
}

/* What the kernel says of it now. */
static short state_of(int fd, short events)
{
	struct pollfd p = {fd, events, 0};

	return ppoll(&p, 1, &(struct timespec){0}, NULL) > 0 ? p.revents : 0;
}

/* --- output --- */

static void fail(struct hostdev *h, struct hostdev_end *end)
{
	end->at = h->written;
	if (end->has_failed)
		return;
	end->has_failed = true;
	if (!end->is_viewer)
		vdev_warn(h->vdev,
			  "vdev %s cannot write to '%s' (%m); the console ring keeps it all",
			  h->vdev->name, end->want->path);
}

/* As write(), but for EAGAIN in the place of waiting. */
static ssize_t put(const struct hostdev_end *end, const uint8_t *bytes, size_t n)
{
	size_t most = end->is_tty ? TTY_PIECE : PIPE_PIECE;

	if (!end->may_wait)
		return write(end->fd, bytes, n);
	if (!(state_of(end->fd, POLLOUT) & (POLLOUT | POLLERR | POLLNVAL))) {
		errno = EAGAIN;
		return -1;
	}
	return write(end->fd, bytes, n < most ? n : most);
}

/* The ring has gone over bytes that it has not had. */
static void overrun(struct hostdev *h, struct hostdev_end *end)
{
	if (end->is_viewer) {
		vdev_info(h->vdev, "vdev %s: a viewer of '%s' is %d bytes behind and is cut off",
			  h->vdev->name, end->want->path, HOSTDEV_RING);
		end->is_over = true;
		shutdown(end->fd, SHUT_RDWR); /* the loop removes it */
		fail(h, end);
		return;
	}
	end->at = h->written - (end->holds ? HOSTDEV_RING : 0);
	if (!end->has_failed)
		vdev_warn(h->vdev,
			  "vdev %s: '%s' is not read, and output for it is lost; the console "
			  "ring keeps it all",
			  h->vdev->name, end->want->path);
	end->has_failed = true;
}

static void flush_end(struct hostdev *h, struct hostdev_end *end)
{
	if (!end->has_output || end->at == h->written)
		return;
	if (end->is_away) {
		end->at = h->written;
		return;
	}
	if (h->written - end->at > HOSTDEV_RING)
		overrun(h, end);
	while (end->at < h->written) {
		size_t from = end->at % HOSTDEV_RING, n = (size_t)(h->written - end->at);
		ssize_t put_n;

		if (n > HOSTDEV_RING - from)
			n = HOSTDEV_RING - from;
		put_n = put(end, h->ring + from, n);
		if (put_n >= 0) {
			end->at += (uint64_t)put_n;
		} else if (errno == EAGAIN || errno == EINTR) {
			return;
		} else {
			fail(h, end);
		}
	}
}

static bool is_behind(const struct hostdev *h, const struct hostdev_end *end)
{
	return end->has_output && end->at != h->written;
}

static void flush(struct hostdev *h)
{
	bool is_any_behind = false;
	uint64_t one = 1;

	h->is_batching = false;
	for (unsigned i = 0; i < h->n_ends; i++) {
		flush_end(h, &h->end[i]);
		is_any_behind = is_any_behind || is_behind(h, &h->end[i]);
	}
	/* The loop then waits for it; an eventfd takes it unless it is readable anyway. */
	if (is_any_behind && h->vdev->room_fd >= 0)
		(void)!write(h->vdev->room_fd, &one, sizeof one);
}

size_t hostdev_room(struct hostdev *h)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < h->n_ends; i++)
		if (h->end[i].holds && h->written - h->end[i].at > most)
			most = h->written - h->end[i].at;
	if (most > HOSTDEV_RING - HOSTDEV_LOW)
		h->is_waited_for = true;
	return most < HOSTDEV_RING ? (size_t)(HOSTDEV_RING - most) : 0;
}

void hostdev_send(struct hostdev *h, const uint8_t *bytes, size_t n)
{
	uint64_t now_ns;

	if (h->n_ends == 0)
		return;
	for (size_t done = 0; done < n;) {
		size_t at = h->written % HOSTDEV_RING, piece = n - done;

		if (piece > HOSTDEV_RING - at)
			piece = HOSTDEV_RING - at;
		memcpy(h->ring + at, bytes + done, piece);
		h->written += piece;
		done += piece;
		/* Nobody is to miss what comes round. */
		if (piece == HOSTDEV_RING - at)
			flush(h);
	}
	if (h->batch_ns == 0 || hostdev_room(h) < HOSTDEV_RING / 2) {
		flush(h);
	} else if (!h->is_batching) {
		now_ns = clock_mono_ns();
		h->is_batching = true;
		machine_alarm(h->vdev->machine, h->vdev, now_ns + h->batch_ns);
	}
}

void hostdev_alarm(struct vdev *d, uint64_t now_ns)
{
	(void)now_ns;
	flush(d->hostdev);
}

/* --- the loop --- */

/* Nothing tells when a pty is opened; a look at every turn of the loop, the heartbeat's at least. */
static void look_for(struct hostdev_end *end)
{
	if (end->want->kind == WANT_PTY)
		end->is_away = state_of(end->fd, 0) & POLLHUP;
}

void hostdev_poll(struct hostdev *h, struct pollfd ret[static HOSTDEV_ENDS])
{
	bool has_room = vdev_room(h->vdev) > 0; /* false without an input side */

	for (unsigned i = 0; i < HOSTDEV_ENDS; i++)
		ret[i] = (struct pollfd){.fd = -1};
	if (!vdev_lock_soon(h->vdev))
		return;
	for (unsigned i = 0; i < h->n_ends; i++) {
		struct hostdev_end *end = &h->end[i];
		short events = 0;

		look_for(end);
		if (end->is_listener || (end->has_input && has_room && !end->is_over))
			events |= POLLIN;
		if (is_behind(h, end) && !h->is_batching)
			events |= POLLOUT;
		if (end->is_viewer)
			events |= POLLRDHUP;
		if (events && !end->is_away)
			ret[i] = (struct pollfd){.fd = end->fd, .events = events};
	}
	pthread_mutex_unlock(&h->vdev->lock);
}

static void take_viewer(struct hostdev *h, const struct hostdev_end *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct hostdev_end *end;
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_ends; i++)
		n += h->end[i].is_viewer;
	if (fd < 0)
		return;
	if (n == HOSTDEV_VIEWERS) {
		vdev_info(h->vdev, "vdev %s: '%s' has %d viewers already, the most there may be",
			  h->vdev->name, listener->want->path, HOSTDEV_VIEWERS);
		close(fd);
		return;
	}
	end = add(h, listener->want, fd);
	end->is_viewer = end->has_output = end->has_input = true;
}

/* False: the end is gone, and another has its place. */
static bool take_input(struct hostdev *h, struct hostdev_end *end,
		       size_t (*filter)(void *, int, uint8_t *, size_t), void *arg)
{
	struct vdev *d = h->vdev;
	size_t room = d->class->room(d);
	uint8_t bytes[READ_PIECE];
	ssize_t n;

	if (room == 0 || end->is_over)
		return true;
	n = read(end->fd, bytes, room < sizeof bytes ? room : sizeof bytes);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n > 0) {
		size_t left = filter ? filter(arg, end->fd, bytes, (size_t)n) : (size_t)n;

		if (left)
			d->class->input(d, bytes, left);
		return true;
	}
	if (end->is_viewer) {
		remove_end(h, end);
		return false;
	}
	if (end->want->kind == WANT_PTY) {
		end->is_away = true; /* EIO: closed */
		return true;
	}
	if (n < 0)
		vdev_warn(d, "vdev %s cannot read its input any more: %m", d->name);
	end->is_over = true;
	return true;
}

/* A command or viewer that has gone is not written to again. */
static bool serve_end(struct hostdev *h, struct hostdev_end *end, short revents,
		      size_t (*filter)(void *, int, uint8_t *, size_t), void *arg)
{
	if (end->is_listener) {
		take_viewer(h, end);
		return true;
	}
	if (revents & (POLLOUT | POLLERR | POLLHUP))
		flush_end(h, end);
	if (end->is_viewer && (end->is_over || revents & (POLLERR | POLLHUP))) {
		remove_end(h, end);
		return false;
	}
	/* A viewer that has finished writing still reads; one that has left is found by a write. */
	if (end->has_input && revents & (POLLIN | POLLHUP | POLLERR | POLLRDHUP))
		return take_input(h, end, filter, arg);
	return true;
}

void hostdev_serve(struct hostdev *h, const struct pollfd polled[static HOSTDEV_ENDS],
		   size_t (*filter)(void *arg, int fd, uint8_t *bytes, size_t n), void *arg)
{
	struct vdev *d = h->vdev;

	if (!vdev_lock_soon(d))
		return;
	/* From the end: a removed one gives its place to one that was served already. */
	for (unsigned i = h->n_ends; i-- > 0;)
		if (polled[i].revents && polled[i].fd == h->end[i].fd)
			serve_end(h, &h->end[i], polled[i].revents, filter, arg);
	if (h->is_waited_for && hostdev_room(h) >= HOSTDEV_RING / 2) {
		h->is_waited_for = false;
		if (d->class->drained)
			d->class->drained(d);
	}
	pthread_mutex_unlock(&d->lock);
}

bool hostdev_drain(struct hostdev *h, struct pollfd ret[static HOSTDEV_ENDS])
{
	bool is_any_behind = false;

	pthread_mutex_lock(&h->vdev->lock);
	flush(h);
	for (unsigned i = 0; i < HOSTDEV_ENDS; i++) {
		bool is_owed = i < h->n_ends && h->end[i].holds && is_behind(h, &h->end[i]);

		ret[i] = (struct pollfd){.fd = is_owed ? h->end[i].fd : -1, .events = POLLOUT};
		is_any_behind |= is_owed;
	}
	pthread_mutex_unlock(&h->vdev->lock);
	return is_any_behind;
}

void hostdev_give_up(struct hostdev *h)
{
	for (unsigned i = 0; i < h->n_ends; i++)
		if (h->end[i].holds && is_behind(h, &h->end[i]))
			vdev_warn(h->vdev,
				  "vdev %s: '%s' has not taken the last %" PRIu64
				  " bytes; the console ring keeps them",
				  h->vdev->name, h->end[i].want->path, h->written - h->end[i].at);
}
