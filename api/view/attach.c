/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/attach.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/api.h"
#include "api/http/lease.h"
#include "api/http/problem.h"
#include "api/http/request.h"
#include "api/http/upgrade.h"
#include "api/http/visitor.h"
#include "api/http/websocket.h"
#include "api/ticker.h"
#include "api/view/boxes.h"
#include "api/view/console.h"
#include "api/view/object.h"
#include "api/view/typist.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "api/writer.h"
#include "base/auto.h"
#include "base/clock.h"

enum { CHUNK = 8 * 1024, TEXT_ROOM = 4 * 1024, BRISK_MS = 1000 };

/* One viewer. */
struct attach {
	LIST_ENTRY(attach) link;
	struct attached *all;
	struct websocket *ws;
	struct lease lease;
	struct typist typist;
	struct writer told; /* name "" = that nobody types */
	uint64_t generation, pos;
	bool is_placed, is_told; /* the client knows where it is; who types */
	bool is_held_told;
	bool is_deleted;    /* the VM */
	struct err refused; /* to be told; ERR_OK = nothing */
};

struct attached {
	struct api *api;
	LIST_HEAD(attach_list, attach) list;
	sd_event_source *timer;
	uint64_t next_session, brisk_until_ms;
	unsigned n;
};

static void set_timer(struct attached *all)
{
	bool is_brisk = clock_mono_ms() < all->brisk_until_ms;

	ticker_next(all->timer, is_brisk ? ATTACH_BRISK_MS : ATTACH_POLL_MS);
}

static void go_on(struct attach *a, int result, const struct err *e);

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct attached *all = arg;
	struct attach *a;
	struct err e;

	(void)s;
	(void)at_us;
	LIST_FOREACH(a, &all->list, link)
	{
		if (typist_is_waiting(&a->typist))
			go_on(a, typist_again(&a->typist, &e), &e);
		websocket_wake(a->ws);
	}
	if (!LIST_EMPTY(&all->list))
		set_timer(all);
	return 0;
}

struct attached *attached_new(struct api *api)
{
	struct attached *all = calloc(1, sizeof *all);

	if (!all)
		abort();
	all->api = api;
	LIST_INIT(&all->list);
	all->timer = ticker_new(api->loop, on_time, all);
	return all;
}

void attached_free(struct attached *all)
{
	if (!all)
		return;
	sd_event_source_disable_unref(all->timer);
	free(all);
}

void attach_forget(struct attached *all, const char *vm)
{
	struct attach *a;

	LIST_FOREACH(a, &all->list, link)
	if (!strcmp(a->typist.vm, vm)) {
		a->is_deleted = true;
		websocket_wake(a->ws);
	}
}

void attach_end_all(struct attached *all)
{
	while (all && !LIST_EMPTY(&all->list))
		websocket_abandon(LIST_FIRST(&all->list)->ws);
}

/* --- to the client */

/* on_room() has asked for room for each. */
static void tell(struct attach *a, json_t *take_message)
{
	AUTO_JSON json_t *message = take_message;
	AUTO_FREE char *text = json_dumps(message, JSON_COMPACT);

	if (!text || strlen(text) > TEXT_ROOM)
		abort();
	websocket_send(a->ws, FRAME_TEXT, text, strlen(text));
}

static void tell_place(struct attach *a, uint64_t lost)
{
	tell(a,
	     json_pack("{s:s,s:I,s:I,s:I}", "type", "at", "generation", (json_int_t)a->generation,
		       "position", (json_int_t)a->pos, "lost", (json_int_t)lost));
	a->is_placed = true;
}

static void tell_writer(struct attach *a)
{
	const struct typist *t = &a->typist;
	const struct writer *w = writer_of(t->api->writers, t->vm, clock_mono_ms());
	struct writer now = w ? *w : (struct writer){0};

	if (a->is_told && writer_is(&now, &a->told))
		return;
	a->told = now;
	a->is_told = true;
	tell(a, json_pack("{s:s,s:s?,s:b}", "type", "writer", "writer", w ? now.name : NULL, "you",
			  w && writer_is(&now, &t->self)));
}

static void tell_refused(struct attach *a)
{
	if (!a->refused.code)
		return;
	tell(a, json_pack("{s:s,s:o}", "type", "refused", "problem",
			  problem_make(&a->refused, 0, NULL)));
	a->refused = (struct err){0};
}

static void tell_held(struct attach *a)
{
	bool is_held = typist_is_held(&a->typist);

	if (is_held == a->is_held_told)
		return;
	a->is_held_told = is_held;
	tell(a, json_pack("{s:s,s:b}", "type", "held", "held", is_held));
}

static void tell_output(struct attach *a, const struct boxes_entry *b)
{
	char bytes[CHUNK];
	uint64_t from = a->pos;
	size_t n = blackbox_read_console(&b->map, &a->pos, bytes, sizeof bytes), lost;

	if (n == 0)
		return;
	lost = (size_t)(a->pos - n - from);
	if (lost) {
		a->pos -= n;
		tell_place(a, lost);
		a->pos += n;
	}
	websocket_send(a->ws, FRAME_BINARY, bytes, n);
}

static void on_room(void *arg)
{
	struct attach *a = arg;
	const struct boxes_entry *b = boxes_find(a->all->api->boxes, a->typist.vm);

	if (a->is_deleted) {
		websocket_end(a->ws, FRAME_CLOSE_NORMAL, "the VM was deleted");
		return;
	}
	if (b && b->generation != a->generation) {
		a->generation = b->generation;
		a->pos = 0;
		a->is_placed = false;
	}
	if (!a->is_placed)
		tell_place(a, 0);
	tell_writer(a);
	tell_held(a);
	if (websocket_room(a->ws) >= TEXT_ROOM)
		tell_refused(a);
	if (b && websocket_room(a->ws) >= CHUNK + TEXT_ROOM / 8)
		tell_output(a, b);
}

/* --- from the client */

/* Who types looks more often for an answer. */
static void be_brisk(struct attached *all)
{
	all->brisk_until_ms = clock_mono_ms() + BRISK_MS;
	set_timer(all);
}

/* What the typist has answered: the client is held as long as something of it waits. */
static void go_on(struct attach *a, int result, const struct err *e)
{
	if (result < 0)
		a->refused = *e;
	websocket_hold(a->ws, result > 0);
}

void attach_answer(struct attached *all, uint64_t request, const struct msg_answer *answer)
{
	struct attach *a;
	struct err e;

	LIST_FOREACH(a, &all->list, link)
	if (a->typist.request == request)
		break;
	if (!a)
		return;
	if (!answer->err.code)
		be_brisk(all);
	go_on(a, typist_answer(&a->typist, answer, &e), &e);
}

static void take_typed(struct attach *a, const struct frame *f)
{
	struct err e;
	int result = typist_type(&a->typist, f->bytes, f->n, &e);

	if (result < 0)
		a->refused = e;
	if (result <= 0)
		return;
	websocket_hold(a->ws, true);
	be_brisk(a->all);
}

static int take_word(struct attach *a, const struct frame *f, struct err *e)
{
	AUTO_JSON json_t *o =
		json_loadb((const char *)f->bytes, f->n, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));

	if (!type)
		return err_set(e, INVALID,
			       "a text message is a JSON object with a type; what is typed is sent "
			       "as binary messages");
	if (!strcmp(type, "write"))
		return typist_take_right(&a->typist, json_is_true(json_object_get(o, "force")), e);
	if (!strcmp(type, "leave"))
		typist_leave(&a->typist);
	else if (strcmp(type, "resize") != 0)
		return err_set(
			e, INVALID,
			"there is no message of the type '%.32s'; known are write, leave and "
			"resize",
			type);
	return 0;
}

static void on_message(void *arg, const struct frame *f)
{
	struct attach *a = arg;
	struct err e;

	if (f->kind == FRAME_BINARY)
		take_typed(a, f);
	else if (take_word(a, f, &e) < 0)
		a->refused = e;
}

static void on_closed(void *arg)
{
	struct attach *a = arg;

	typist_leave(&a->typist);
	lease_drop(&a->lease);
	LIST_REMOVE(a, link);
	a->all->n--;
	http_held(a->all->api->http, -1);
	free(a);
}

/* --- its beginning */

static void on_end(void *arg, const struct err *why)
{
	struct attach *a = arg;

	typist_leave(&a->typist);
	websocket_end(a->ws, FRAME_CLOSE_POLICY, why->msg);
	websocket_wake(a->ws);
}

static void on_upgraded(void *arg, struct MHD_Connection *c, void *request, const char *early,
			size_t n_early, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	static const struct websocket_user user = {on_message, on_room, on_closed};
	struct request *r = arg;
	struct attached *all = r->api->attached;
	struct attach *a = calloc(1, sizeof *a);

	(void)request;
	if (!a)
		abort();
	visitor_is_upgraded(visitor_of(c));
	a->all = all;
	typist_begin(&a->typist, r, ++all->next_session);
	console_begin(r, &a->generation, &a->pos);
	a->is_deleted = vm_is_gone(r->api->db, request_vm(r)); /* since the request was judged */
	LIST_INSERT_HEAD(&all->list, a, link);
	all->n++;
	http_held(r->api->http, 1);
	a->ws = websocket_open(r->api, handle, fd, early, n_early, &user, a);
	lease_take(&a->lease, r, on_end, a);
	set_timer(all);
}

int view_vm_attach(struct request *r, struct err *e)
{
	char accept[UPGRADE_ACCEPT];
	int64_t id, revision;
	bool is_named;

	if (vm_find(r->api->db, request_vm(r), &id, &revision, e) < 0 ||
	    http_may_hold(r->api->http, e) < 0)
		return -1;
	if (r->api->attached->n >= WEBSOCKET_MOST)
		return err_set(e, LIMIT, "%d WebSockets are open, which is the limit",
			       WEBSOCKET_MOST);
	if (upgrade_judge(r->connection, accept, &is_named, e) < 0)
		return -1;
	if (r->is_head || visitor_of(r->connection)->is_half_closed)
		return err_set(e, INVALID, "a WebSocket is opened by GET, and kept open");
	request_answer_upgrade(r, on_upgraded);
	request_header(r, "Upgrade", "websocket");
	request_header(r, "Sec-WebSocket-Accept", accept);
	if (is_named)
		request_header(r, "Sec-WebSocket-Protocol", UPGRADE_PROTOCOL);
	return 0;
}
