/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/pump.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

enum { DOORS = 2, TURNS = 64 };

struct pump {
	struct MHD_Daemon *door[DOORS];
	sd_event_source *io[DOORS], *timer, *kick;
	unsigned n;
	uint64_t moves; /* calls of libmicrohttpd, whatever for */
	void (*on_stall)(void *arg);
	void *arg;
};

/* The shortest wait that one of them asks for; false = none does. */
static bool run_doors(struct pump *p, uint64_t *ret_ms)
{
	bool has_timeout = false;

	for (unsigned i = 0; i < p->n; i++) {
		MHD_UNSIGNED_LONG_LONG ms = 0;

		MHD_run(p->door[i]);
		if (MHD_get_timeout(p->door[i], &ms) != MHD_YES)
			continue;
		*ret_ms = has_timeout && *ret_ms < ms ? *ret_ms : ms;
		has_timeout = true;
	}
	return has_timeout;
}

void pump_turn(struct pump *p)
{
	bool has_timeout;
	uint64_t ms = 0, moves = p->moves;
	unsigned n = 0;

	do
		has_timeout = run_doors(p, &ms);
	while (has_timeout && ms == 0 && ++n < TURNS);
	if (n == TURNS && p->moves == moves)
		p->on_stall(p->arg);
	if (!has_timeout) {
		sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(p->timer, (clock_mono_ms() + ms) * 1000);
	sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)s;
	(void)fd;
	(void)events;
	pump_turn(arg);
	return 0;
}

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	(void)s;
	(void)at_us;
	pump_turn(arg);
	return 0;
}

static int on_kick(sd_event_source *s, void *arg)
{
	(void)s;
	pump_turn(arg);
	return 0;
}

struct pump *pump_new(sd_event *loop, void (*on_stall)(void *arg), void *arg)
{
	struct pump *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	*p = (struct pump){.on_stall = on_stall, .arg = arg};
	if (sd_event_add_time(loop, &p->timer, CLOCK_MONOTONIC, 0, 1000, on_time, p) < 0 ||
	    sd_event_add_defer(loop, &p->kick, on_kick, p) < 0)
		abort();
	return p;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n; i++) {
		MHD_stop_daemon(p->door[i]);
		sd_event_source_disable_unref(p->io[i]);
	}
	sd_event_source_disable_unref(p->timer);
	sd_event_source_disable_unref(p->kick);
	free(p);
}

int pump_add(struct pump *p, struct MHD_Daemon *take_door, struct err *e)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(take_door, MHD_DAEMON_INFO_EPOLL_FD);
	sd_event *loop = sd_event_source_get_event(p->timer);
	int result = 0;

	if (p->n == DOORS)
		abort();
	if (!info)
		result = err_set(e, INTERNAL, "the HTTP server has no epoll");
	else if (sd_event_add_io(loop, &p->io[p->n], info->epoll_fd, EPOLLIN, on_io, p) < 0)
		result = err_sys(e, INTERNAL, "put HTTP on the event loop");
	if (result < 0)
		MHD_stop_daemon(take_door);
	else
		p->door[p->n++] = take_door;
	return result;
}

void pump_shut(struct pump *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		int listener = MHD_quiesce_daemon(p->door[i]);

		if (listener >= 0)
			close(listener);
	}
}

void pump_wake(struct pump *p)
{
	sd_event_source_set_enabled(p->kick, SD_EVENT_ONESHOT);
}

void pump_moved(struct pump *p)
{
	p->moves++;
}
