/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/lobby.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "api/api.h"
#include "api/http/visitor.h"
#include "base/clock.h"
#include "base/log.h"

struct lobby {
	sd_event_source *timer;
	LIST_HEAD(visitor_list, visitor) visitors;
	unsigned most;
	uint64_t armed_ms; /* monotonic; 0 = the timer is off */
	void (*before_end)(void *arg);
	void *arg;
};

/* Libmicrohttpd reads the end and closes. */
static void hang_up(const struct visitor *v)
{
	shutdown(visitor_fd(v->connection), SHUT_RDWR);
}

static void arm(struct lobby *l, uint64_t due_ms)
{
	l->armed_ms = due_ms;
	sd_event_source_set_time(l->timer, due_ms * 1000);
	sd_event_source_set_enabled(l->timer, due_ms ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_due(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct lobby *l = arg;
	uint64_t now_ms = clock_mono_ms(), next_ms = 0;
	unsigned n = 0;
	struct visitor *v;

	(void)s;
	(void)at_us;
	/* After a pause of this process, all may be there that is waited for. */
	l->before_end(l->arg);
	for (v = LIST_FIRST(&l->visitors); v; v = LIST_NEXT(v, link)) {
		if (v->due_ms && v->due_ms <= now_ms) {
			v->due_ms = 0;
			hang_up(v);
			v->api->tally.n_late++;
			n++;
		} else if (v->due_ms && (!next_ms || v->due_ms < next_ms)) {
			next_ms = v->due_ms;
		}
	}
	if (n)
		log_debug(NULL, "http: %u connections ended whose request did not arrive", n);
	arm(l, next_ms);
	return 0;
}

struct lobby *lobby_new(sd_event *loop, unsigned most, void (*before_end)(void *arg), void *arg)
{
	struct lobby *l = calloc(1, sizeof *l);

	if (!l || sd_event_add_time(loop, &l->timer, CLOCK_MONOTONIC, 0, 1000, on_due, l) < 0)
		abort();
	l->most = most;
	l->before_end = before_end;
	l->arg = arg;
	LIST_INIT(&l->visitors);
	arm(l, 0);
	return l;
}

void lobby_free(struct lobby *l)
{
	if (!l)
		return;
	sd_event_source_disable_unref(l->timer);
	free(l);
}

void lobby_expect(struct lobby *l, struct visitor *v, uint64_t ms)
{
	v->due_ms = ms ? clock_mono_ms() + ms : 0;
	if (v->due_ms && (!l->armed_ms || v->due_ms < l->armed_ms))
		arm(l, v->due_ms);
}

int lobby_has_room(unsigned most, unsigned own, unsigned common)
{
	unsigned reserve = most / 8 < LOBBY_RESERVE ? most / 8 : LOBBY_RESERVE;

	return own < most / 2 && common < most - reserve;
}

static void introduce(const struct auth *a, struct visitor *v)
{
	struct msg_caller who;
	struct err e;

	v->uid = (uid_t)-1;
	v->standing = VISITOR_REMOTE;
	if (auth_is_remote(visitor_fd(v->connection)))
		return;
	v->standing = VISITOR_COMMON;
	if (auth_caller(a, visitor_fd(v->connection), &who, &e) < 0)
		return;
	v->uid = who.uid;
	if (who.uid == 0 || who.uid == a->own_uid)
		v->standing = VISITOR_FREE;
	else if (who.role == ROLE_ADMIN)
		v->standing = VISITOR_ADMIN;
}

static int may_enter(const struct lobby *l, const struct visitor *v)
{
	unsigned own = 0, common = 0;
	const struct visitor *o;

	if (v->standing == VISITOR_FREE)
		return 1;
	for (o = LIST_FIRST(&l->visitors); o; o = LIST_NEXT(o, link)) {
		/* Addresses have a limit of their own, of libmicrohttpd. */
		own += v->standing != VISITOR_REMOTE && o->uid == v->uid;
		common += o->standing <= VISITOR_COMMON;
	}
	return lobby_has_room(l->most, own, v->standing == VISITOR_ADMIN ? 0 : common);
}

void lobby_enter(struct lobby *l, struct visitor *v)
{
	introduce(&v->api->auth, v);
	if (may_enter(l, v)) {
		lobby_expect(l, v, LOBBY_HEAD_MS);
	} else {
		log_debug(NULL, "http: a connection of uid %d is one too many", (int)v->uid);
		v->api->tally.n_crowd++;
		hang_up(v);
	}
	LIST_INSERT_HEAD(&l->visitors, v, link);
}

void lobby_leave(struct lobby *l, struct visitor *v)
{
	(void)l;
	LIST_REMOVE(v, link);
}
