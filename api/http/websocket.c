/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/api.h"
#include "base/clock.h"

enum { IN = HTTP_MEMORY, CONTROL_ROOM = 2 * (FRAME_CONTROL + FRAME_HEAD), TURN = 32 };

struct websocket {
	struct api *api;
	struct MHD_UpgradeResponseHandle *handle;
	int fd;
	sd_event_source *io, *timer;
	const struct websocket_user *user;
	void *arg;
	struct frame_reader reader;
	bool is_held, is_ending, is_over;
	uint64_t heard_ms, end_ms;
	size_t in_at, in_n, out_at, out_n;
	uint8_t in[IN], out[WEBSOCKET_OUT];
};

static void destroy(struct websocket *w)
{
	w->user->on_closed(w->arg);
	sd_event_source_disable_unref(w->io);
	sd_event_source_disable_unref(w->timer);
	MHD_upgrade_action(w->handle, MHD_UPGRADE_ACTION_CLOSE);
	http_wake(w->api->http);
	free(w);
}

static void set_timer(struct websocket *w, uint64_t at_ms)
{
	sd_event_source_set_time(w->timer, at_ms * 1000);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static bool is_sent(const struct websocket *w)
{
	return w->out_at == w->out_n;
}

static void flush(struct websocket *w)
{
	while (!w->is_over && !is_sent(w)) {
		ssize_t n = send(w->fd, w->out + w->out_at, w->out_n - w->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			w->is_over = true;
		else
			w->out_at += (size_t)n;
	}
	w->out_at = w->out_n = 0;
}

static void put(struct websocket *w, enum frame_kind kind, const void *bytes, size_t n)
{
	w->out_n += frame_head(kind, n, w->out + w->out_n);
	if (n)
		memcpy(w->out + w->out_n, bytes, n);
	w->out_n += n;
}

/* Control frames have room of their own; one too many is left out, which a slow peer deserves. */
static void put_control(struct websocket *w, enum frame_kind kind, const void *bytes, size_t n)
{
	if (w->out_n + FRAME_HEAD + n <= sizeof w->out && !w->is_ending)
		put(w, kind, bytes, n);
}

static void say_end(struct websocket *w, enum frame_close why, const char *text)
{
	uint8_t payload[FRAME_CONTROL] = {(uint8_t)(why >> 8), (uint8_t)why};
	size_t n = strnlen(text, sizeof payload - 2);

	if (w->is_ending)
		return;
	memcpy(payload + 2, text, n);
	put_control(w, FRAME_CLOSE, payload, why == FRAME_CLOSE_NOTHING ? 0 : n + 2);
	w->is_ending = true;
	w->end_ms = clock_mono_ms() + WEBSOCKET_LINGER_MS;
	set_timer(w, w->end_ms);
}

static void take(struct websocket *w, const struct frame *f)
{
	switch (f->kind) {
	case FRAME_PING: put_control(w, FRAME_PONG, f->bytes, f->n); return;
	case FRAME_CLOSE:
		/* Ours has been sent before, or is the echo of theirs. */
		say_end(w, frame_why(f), "");
		flush(w);
		w->is_over |= is_sent(w);
		return;
	case FRAME_TEXT:
	case FRAME_BINARY:
		if (!w->is_ending)
			w->user->on_message(w->arg, f);
		return;
	default: return;
	}
}

static void read_frames(struct websocket *w)
{
	while (!w->is_held && !w->is_over && w->in_at < w->in_n) {
		size_t taken = 0;
		struct frame f;
		enum frame_close why;
		int got = frame_read(&w->reader, w->in + w->in_at, w->in_n - w->in_at, &taken, &f,
				     &why);

		w->in_at += taken;
		if (got > 0)
			take(w, &f);
		if (got >= 0)
			continue;
		say_end(w, why,
			why == FRAME_CLOSE_TOO_BIG ? "a message has at most 4096 bytes"
						   : "no frame of RFC 6455");
		w->in_at = w->in_n;
		w->is_held = true; /* what follows cannot be understood any more */
	}
}

static void receive(struct websocket *w)
{
	read_frames(w); /* what came with the handshake, or while it was held */
	for (unsigned i = 0; i < TURN && !w->is_held && !w->is_over; i++) {
		ssize_t n = recv(w->fd, w->in, sizeof w->in, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			w->is_over = true;
			return;
		}
		w->heard_ms = clock_mono_ms();
		w->in_at = 0;
		w->in_n = (size_t)n;
		read_frames(w);
	}
}

/* Send what there is and what more there may be; ask the loop for what is still missing. */
static void pump(struct websocket *w)
{
	uint32_t events = EPOLLRDHUP;

	flush(w);
	for (unsigned i = 0; i < TURN && is_sent(w) && !w->is_ending && !w->is_over; i++) {
		w->user->on_room(w->arg);
		if (is_sent(w))
			break;
		flush(w);
	}
	events |= w->is_held ? 0 : EPOLLIN;
	events |= is_sent(w) ? 0 : EPOLLOUT;
	sd_event_source_set_io_events(w->io, events);
	if (w->is_over) /* not here: the caller may look at it again */
		set_timer(w, 0);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct websocket *w = arg;

	(void)s;
	(void)fd;
	if ((events & (EPOLLHUP | EPOLLERR)) || (w->is_held && (events & EPOLLRDHUP)))
		w->is_over = true;
	receive(w);
	pump(w);
	if (w->is_over)
		destroy(w);
	return 0;
}

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct websocket *w = arg;
	uint64_t now_ms = clock_mono_ms();

	(void)s;
	(void)at_us;
	if (w->is_over || (w->is_ending && now_ms >= w->end_ms) ||
	    (!w->is_held && now_ms >= w->heard_ms + WEBSOCKET_DEAD_MS)) {
		destroy(w);
		return 0;
	}
	if (!w->is_ending) {
		put_control(w, FRAME_PING, NULL, 0);
		set_timer(w, now_ms + WEBSOCKET_PING_MS);
	}
	pump(w);
	return 0;
}

struct websocket *websocket_open(struct api *api, struct MHD_UpgradeResponseHandle *take_handle,
				 int fd, const void *early, size_t n_early,
				 const struct websocket_user *user, void *arg)
{
	struct websocket *w = calloc(1, sizeof *w);
	uint64_t now_ms = clock_mono_ms();

	if (!w)
		abort();
	w->api = api;
	w->handle = take_handle;
	w->fd = fd;
	w->user = user;
	w->arg = arg;
	w->heard_ms = now_ms;
	w->in_n = n_early < sizeof w->in ? n_early : sizeof w->in;
	if (w->in_n)
		memcpy(w->in, early, w->in_n);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (sd_event_add_io(api->loop, &w->io, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, on_io, w) < 0 ||
	    sd_event_add_time(api->loop, &w->timer, CLOCK_MONOTONIC, 0, 1000, on_time, w) < 0)
		abort();
	set_timer(w, now_ms + WEBSOCKET_PING_MS);
	return w;
}

size_t websocket_room(const struct websocket *w)
{
	size_t used = w->out_n + FRAME_HEAD + CONTROL_ROOM;

	return used < sizeof w->out ? sizeof w->out - used : 0;
}

void websocket_send(struct websocket *w, enum frame_kind kind, const void *bytes, size_t n)
{
	if (n > websocket_room(w))
		abort(); /* its user has not asked */
	if (!w->is_ending)
		put(w, kind, bytes, n);
}

void websocket_wake(struct websocket *w)
{
	pump(w);
}

void websocket_hold(struct websocket *w, bool is_held)
{
	w->is_held = is_held;
	if (is_held)
		return;
	w->heard_ms = clock_mono_ms(); /* its pongs wait to be read */
	read_frames(w);
	pump(w);
}

void websocket_end(struct websocket *w, enum frame_close why, const char *text)
{
	say_end(w, why, text);
}

void websocket_abandon(struct websocket *w)
{
	say_end(w, FRAME_CLOSE_AWAY, "the server ends");
	flush(w);
	destroy(w);
}
