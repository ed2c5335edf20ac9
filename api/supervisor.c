/* SPDX-License-Identifier: Apache-2.0 */
#include "api/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/api.h"
#include "api/http/tls.h"
#include "api/view/boxes.h"
#include "api/call.h"
#include "api/view/attach.h"
#include "api/view/console.h"
#include "api/view/stream.h"
#include "api/wait.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"

/* Messages taken in one turn of the loop, so that HTTP has its turn, too. */
enum { TURN = 64 };

struct supervisor {
	struct api *api;
	int link;
	sd_event_source *io;
};

static void store_changed(struct api *api)
{
	wait_look(api->waits);
	stream_wake(api->streams);
}

static void take_box(struct api *api, struct wire_msg *m)
{
	struct msg_box *b = (struct msg_box *)m->body;
	struct err e;

	b->vm[sizeof b->vm - 1] = '\0';
	if (boxes_put(api->boxes, b->vm, b->generation, wire_take_fd(m, 0), &e) < 0)
		log_error((&(struct log_about){.vm = b->vm, .err = &e}), "%s", e.msg);
	console_wake(api->consoles);
}

static void forget_vm(struct api *api, struct wire_msg *m)
{
	struct msg_box_gone *b = (struct msg_box_gone *)m->body;

	b->vm[sizeof b->vm - 1] = '\0';
	boxes_drop(api->boxes, b->vm);
	console_wake(api->consoles);
	attach_forget(api->attached, b->vm);
}

/* A full link is no reason to end: the supervisor asks again, or ends us. */
static void say_alive(const struct supervisor *s)
{
	struct err e;

	if (wire_send(s->link, &message_table, MESSAGE_API_ALIVE, 0, &(struct msg_empty){0}, NULL,
		      0, &e) < 0)
		log_warn((&(struct log_about){.err = &e}), "%s", e.msg);
}

static void take_host(struct api *api, const struct wire_msg *m)
{
	struct msg_host_state *h = &api->host;

	memcpy(h, m->body, sizeof *h);
	h->reason[sizeof h->reason - 1] = h->what[sizeof h->what - 1] = '\0';
	h->mend[sizeof h->mend - 1] = '\0';
}

/* What cannot be used is said, and the API goes on with what it has: the unix socket at least. */
static void take_secure(struct api *api, struct wire_msg *m)
{
	AUTO_FD int listener = wire_take_fd(m, 0);
	struct tls *fresh = NULL, *old = api->tls;
	struct err e;

	if (tls_load(m->fd[1], m->fd[2], m->fd[3], &fresh, &e) < 0) {
		log_error((&(struct log_about){.err = &e}), "the TLS files cannot be used%s: %s",
			  old ? ", the present ones stay" : ", TCP is not served", e.msg);
		return;
	}
	api->tls = fresh;
	if (!http_has_tls(api->http) &&
	    http_open_tls(api->http, TAKE_FD(listener), api->certificate, tls_client_ca(fresh),
			  &e) < 0)
		log_error((&(struct log_about){.err = &e}), "TCP is not served: %s", e.msg);
	/* libmicrohttpd has copied the client CA into its credentials. */
	tls_free(old);
}

static int dispatch(struct api *api, struct wire_msg *m, struct err *e)
{
	uint64_t request = m->hdr.request;

	switch (m->hdr.type) {
	case MESSAGE_ANSWER_FINDING:
		call_finding(api->calls, request, (const struct diagnostic *)m->body);
		return 0;
	case MESSAGE_ANSWER_WANT:
		return call_want(api->calls, request, (const struct msg_want *)m->body, e);
	case MESSAGE_ANSWER_FILE: call_file(api->calls, request, wire_take_fd(m, 0)); return 0;
	case MESSAGE_ANSWER:
		call_answer(api->calls, request, (const struct msg_answer *)m->body);
		attach_answer(api->attached, request, (const struct msg_answer *)m->body);
		return 0;
	case MESSAGE_HOST_STATE: take_host(api, m); return 0;
	case MESSAGE_STORE_CHANGED: store_changed(api); return 0;
	case MESSAGE_PING: say_alive(api->supervisor); return 0;
	case MESSAGE_SECURE: take_secure(api, m); return 0;
	case MESSAGE_BOX: take_box(api, m); return 0;
	case MESSAGE_BOX_GONE: forget_vm(api, m); return 0;
	default: return err_set(e, PROTOCOL, "the supervisor sent message type %u", m->hdr.type);
	}
}

static int on_link(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct supervisor *s = arg;
	struct api *api = s->api;
	AUTO_FREE struct wire_msg *m = calloc(1, sizeof *m);
	struct err e;
	int got = 0;

	(void)source;
	(void)events;
	if (!m)
		abort();
	for (int i = 0; i < TURN; i++) {
		got = wire_recv(fd, &message_table, WIRE_TO_API, m, &e);
		if (got <= 0)
			break;
		got = dispatch(api, m, &e);
		wire_close_fds(m);
		if (got < 0)
			break;
	}
	if (got >= 0)
		return 0;
	if (e.code == ERR_WORKER)
		log_info(NULL, "the supervisor has gone; ending");
	else
		log_error((&(struct log_about){.err = &e}), "the link to the supervisor: %s",
			  e.msg);
	sd_event_exit(api->loop, e.code == ERR_WORKER ? 0 : 1);
	supervisor_close(TAKE(api->supervisor));
	return 0;
}

int supervisor_open(struct api *api, int take_link, struct supervisor **ret, struct err *e)
{
	struct supervisor *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	*s = (struct supervisor){.api = api, .link = take_link};
	if (sd_event_add_io(api->loop, &s->io, s->link, EPOLLIN, on_link, s) < 0) {
		supervisor_close(s);
		return err_sys(e, INTERNAL, "put the link to the supervisor on the event loop");
	}
	*ret = s;
	return 0;
}

void supervisor_close(struct supervisor *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->io);
	close(s->link);
	free(s);
}

int supervisor_ready(struct supervisor *s, struct err *e)
{
	return wire_send(s->link, &message_table, MESSAGE_API_READY, 0, &(struct msg_empty){0},
			 NULL, 0, e);
}

int supervisor_call(struct supervisor *s, uint64_t request, const struct msg_call *c, int text,
		    struct err *e)
{
	int result;

	if (!s)
		return err_set(e, UNAVAILABLE, "%s: the supervisor has gone", op_table[c->op].id);
	result = wire_send(s->link, &message_table, text < 0 ? MESSAGE_CALL : MESSAGE_CALL_TEXT,
			   request, c, &text, text >= 0, e);
	if (result < 0 && e->code != ERR_INTERNAL)
		e->code = ERR_UNAVAILABLE;
	return result;
}

int supervisor_is_there(const struct supervisor *s)
{
	return s != NULL;
}
