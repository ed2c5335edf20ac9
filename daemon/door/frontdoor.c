/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/frontdoor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/door/call.h"
#include "daemon/daemon.h"
#include "daemon/door/server.h"
#include "daemon/timer.h"

enum { BURST = 32, WAITING_MAX = 8192, PATIENCE_MS = 10000, PULSE_MS = 5000 };

struct frontdoor_letter {
	struct frontdoor_letter *next;
	unsigned type;
	uint64_t request;
	int fd[WIRE_FDS];
	unsigned n_fds;
	uint8_t body[];
};

static void letter_free(struct frontdoor_letter *l)
{
	for (unsigned i = 0; i < l->n_fds; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	free(l);
}

/* 1 = sent, 0 = the link is full, -1 = it is broken. */
static int post(struct daemon *d, unsigned type, uint64_t request, const void *body, const int *fd,
		unsigned n_fds)
{
	struct err e;

	if (wire_send(d->door.link, &message_table, type, request, body, fd, n_fds, &e) == 0)
		return 1;
	return e.code == ERR_PROTOCOL ? 0 : -1;
}

static void listen_for(struct daemon *d)
{
	sd_event_source_set_io_events(d->door.source, EPOLLIN | (d->door.n_waiting ? EPOLLOUT : 0));
}

static int on_patience(sd_event_source *s, uint64_t us, void *arg)
{
	struct err e;

	(void)s;
	(void)us;
	err_set(&e, PROTOCOL, "the API process has not read its link for %d s", PATIENCE_MS / 1000);
	server_fence(arg, &e);
	return 0;
}

/* The fds are borrowed. */
static void say(struct daemon *d, unsigned type, uint64_t request, const void *body, const int *fd,
		unsigned n_fds)
{
	struct frontdoor *f = &d->door;
	size_t bytes = message_table.rule[type].bytes;
	struct frontdoor_letter *l;
	struct err e;

	if (f->link < 0 || (!f->first && post(d, type, request, body, fd, n_fds) != 0))
		return; /* a broken link is seen by its reader */
	if (f->n_waiting == WAITING_MAX) {
		err_set(&e, PROTOCOL, "%d messages wait for the API process", WAITING_MAX);
		server_fence(d, &e);
		return;
	}
	l = malloc(sizeof *l + bytes);
	if (!l)
		abort();
	*l = (struct frontdoor_letter){.type = type, .request = request, .n_fds = n_fds};
	for (unsigned i = 0; i < n_fds; i++)
		l->fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);
	memcpy(l->body, body, bytes);
	if (f->last)
		f->last->next = l;
	else
		f->first = l;
	f->last = l;
	if (f->n_waiting++ == 0)
		timer_set(d->loop, &f->patience, PATIENCE_MS, on_patience, d);
	listen_for(d);
}

static void post_waiting(struct daemon *d)
{
	struct frontdoor *f = &d->door;

	while (f->first) {
		struct frontdoor_letter *l = f->first;

		if (post(d, l->type, l->request, l->body, l->fd, l->n_fds) == 0)
			break;
		f->first = l->next;
		if (!f->first)
			f->last = NULL;
		f->n_waiting--;
		letter_free(l);
		timer_clear(&f->patience);
	}
	if (f->n_waiting && !f->patience)
		timer_set(d->loop, &f->patience, PATIENCE_MS, on_patience, d);
	listen_for(d);
}

void frontdoor_answer(struct daemon *d, uint64_t visit, unsigned type, uint64_t request,
		      const void *body)
{
	if (visit == d->door.visit)
		say(d, type, request, body, NULL, 0);
}

void frontdoor_file(struct daemon *d, uint64_t visit, uint64_t request, int fd)
{
	if (visit == d->door.visit)
		say(d, MESSAGE_ANSWER_FILE, request, &(struct msg_empty){0}, &fd, 1);
}

void frontdoor_secure(struct daemon *d, const int *fd, unsigned n_fds)
{
	say(d, MESSAGE_SECURE, 0, &(struct msg_empty){0}, fd, n_fds);
}

void frontdoor_host(struct daemon *d)
{
	const struct hostsafe *h = &d->hostsafe;
	struct msg_host_state m = {.is_safe = h->reason != GROUND_HOLDS, .since_ms = h->since_ms};

	str_copy(m.reason, sizeof m.reason, ground_id(h->reason));
	str_copy(m.what, sizeof m.what, ground_what(h->reason));
	str_copy(m.mend, sizeof m.mend, ground_mend(h->reason));
	if (d->door.is_ready)
		say(d, MESSAGE_HOST_STATE, 0, &m, NULL, 0);
}

void frontdoor_box(struct daemon *d, const struct vm *v)
{
	struct msg_box m = {.generation = (uint64_t)v->row.generation};

	if (!d->door.is_ready || v->box_fd < 0)
		return;
	str_copy(m.vm, sizeof m.vm, v->row.name);
	say(d, MESSAGE_BOX, 0, &m, &v->box_fd, 1);
}

void frontdoor_box_gone(struct daemon *d, const char *vm)
{
	struct msg_box_gone m = {0};

	str_copy(m.vm, sizeof m.vm, vm);
	if (d->door.is_ready)
		say(d, MESSAGE_BOX_GONE, 0, &m, NULL, 0);
}

static int on_news(sd_event_source *s, void *arg)
{
	struct daemon *d = arg;
	struct msg_store_changed m = {.last_event = d->ledger.seq};

	(void)s;
	d->door.is_news_due = false;
	if (d->door.is_ready)
		say(d, MESSAGE_STORE_CHANGED, 0, &m, NULL, 0);
	return 0;
}

void frontdoor_changed(struct daemon *d)
{
	struct frontdoor *f = &d->door;

	if (f->is_news_due || f->link < 0)
		return;
	f->is_news_due = true;
	sd_event_source_set_enabled(f->news, SD_EVENT_ONESHOT);
}

/* A process that lives and does not answer is worse than a dead one: nobody restarts it. */
static int on_pulse(sd_event_source *s, uint64_t us, void *arg)
{
	struct daemon *d = arg;
	struct err e;

	(void)s;
	(void)us;
	if (d->door.is_asked) {
		err_set(&e, TIMEOUT, "the API process has not answered for %d s", PULSE_MS / 1000);
		server_fence(d, &e);
		return 0;
	}
	d->door.is_asked = true;
	say(d, MESSAGE_PING, 0, &(struct msg_empty){0}, NULL, 0);
	timer_set(d->loop, &d->door.pulse, PULSE_MS, on_pulse, d);
	return 0;
}

static int take(struct daemon *d, struct wire_msg *m)
{
	switch (m->hdr.type) {
	case MESSAGE_API_ALIVE: d->door.is_asked = false; return 0;
	case MESSAGE_API_READY:
		if (d->door.is_ready)
			return -1;
		d->door.is_ready = true;
		frontdoor_host(d);
		for (size_t i = 0; i < d->vms.n; i++)
			frontdoor_box(d, d->vms.vm[i]);
		server_is_up(d);
		return 0;
	case MESSAGE_CALL:
	case MESSAGE_CALL_TEXT: {
		AUTO_FD int text = m->hdr.type == MESSAGE_CALL_TEXT ? wire_take_fd(m, 0) : -1;
		struct msg_call c;

		memcpy(&c, m->body, sizeof c);
		call_run(d, m->hdr.request, &c, text);
		return 0;
	}
	default: return -1;
	}
}

static int on_link(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	uint64_t visit = d->door.visit;
	struct err e;

	(void)s;
	(void)fd;
	if (events & EPOLLOUT)
		post_waiting(d);
	for (int i = 0; i < BURST && d->door.link >= 0 && d->door.visit == visit; i++) {
		AUTO(wire_close_fds) struct wire_msg m = {0};
		int r = wire_recv(d->door.link, &message_table, WIRE_FROM_API, &m, &e);

		if (r == 0)
			break;
		if (r > 0 && take(d, &m) < 0)
			r = err_set(&e, PROTOCOL, "the API process sent %s out of turn",
				    message_table.rule[m.hdr.type].name);
		if (r < 0) {
			server_fence(d, &e);
			break;
		}
	}
	return 0;
}

void frontdoor_open(struct daemon *d, int take_link)
{
	struct frontdoor *f = &d->door;

	f->link = take_link;
	f->visit++;
	f->is_ready = f->is_asked = false;
	timer_set(d->loop, &f->pulse, PULSE_MS, on_pulse, d);
	if (sd_event_add_io(d->loop, &f->source, f->link, EPOLLIN, on_link, d) < 0 ||
	    sd_event_add_defer(d->loop, &f->news, on_news, d) < 0)
		abort(); /* out of memory: crash-only */
	sd_event_source_set_enabled(f->news, SD_EVENT_OFF);
	/* As late as the ledger's flush: whoever calls without end must not keep it from its turn. */
	sd_event_source_set_priority(f->source, SD_EVENT_PRIORITY_IDLE);
}

void frontdoor_close(struct daemon *d)
{
	struct frontdoor *f = &d->door;

	f->source = sd_event_source_disable_unref(f->source);
	f->news = sd_event_source_disable_unref(f->news);
	timer_clear(&f->patience);
	timer_clear(&f->pulse);
	while (f->first) {
		struct frontdoor_letter *l = f->first;

		f->first = l->next;
		letter_free(l);
	}
	if (f->link >= 0)
		close(f->link);
	*f = (struct frontdoor){.link = -1, .visit = f->visit + 1, .typist = f->typist};
}
