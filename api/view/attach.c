/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/attach.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "api/api.h"
#include "api/http/lease.h"
#include "api/http/problem.h"
#include "api/http/request.h"
#include "api/http/upgrade.h"
#include "api/http/visitor.h"
#include "api/http/websocket.h"
#include "api/supervisor.h"
#include "api/view/boxes.h"
#include "api/view/console.h"
#include "api/view/object.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "api/writer.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"

enum { CHUNK = 8 * 1024, TEXT_ROOM = 4 * 1024, BRISK_MS = 1000 };
/* Then who types is told, and the supervisor asked whether the guest lives. */
enum { HELD_MS = 1000 };

/* One viewer. */
struct attach {
	LIST_ENTRY(attach) link;
	struct attached *all;
	struct websocket *ws;
	struct lease lease;
	char vm[NAME_CAP], scope[NAME_CAP];
	struct msg_caller caller;
	struct writer self, told; /* told.name "" = that nobody types */
	uint64_t generation, pos;
	bool is_placed, is_told; /* the client knows where it is; who types */
	bool is_deleted;	 /* the VM */
	struct err refused;	 /* to be told; ERR_OK = nothing */
	/* What it has typed and the supervisor has not taken yet. */
	uint64_t request;	   /* on its way; 0 = none */
	uint64_t typed_generation; /* of the worker that it is for; 0 = it was not known yet */
	uint64_t held_ms;	   /* since when the guest has no room for it; 0 = it has */
	uint64_t ask_ms;	   /* when to try although it has none */
	bool is_held_told;
	size_t n_typed, typed_at, n_sent; /* n_sent: of those on their way */
	uint8_t typed[FRAME_MESSAGE];
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
	uint64_t now_ms = clock_mono_ms();
	unsigned pause_ms = now_ms < all->brisk_until_ms ? ATTACH_BRISK_MS : ATTACH_POLL_MS;

	sd_event_source_set_time(all->timer, (now_ms + pause_ms) * 1000);
	sd_event_source_set_enabled(all->timer, SD_EVENT_ONESHOT);
}

static void send_held(struct attach *a);

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct attached *all = arg;
	struct attach *a;

	(void)s;
	(void)at_us;
	LIST_FOREACH(a, &all->list, link)
	{
		if (a->held_ms && !a->request)
			send_held(a);
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
	if (sd_event_add_time(api->loop, &all->timer, CLOCK_MONOTONIC, 0, 1000, on_time, all) < 0 ||
	    sd_event_source_set_enabled(all->timer, SD_EVENT_OFF) < 0)
		abort();
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
	if (!strcmp(a->vm, vm)) {
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
	const struct writer *w = writer_of(a->all->api->writers, a->vm, clock_mono_ms());
	struct writer now = w ? *w : (struct writer){0};

	if (a->is_told && writer_is(&now, &a->told))
		return;
	a->told = now;
	a->is_told = true;
	tell(a, json_pack("{s:s,s:s?,s:b}", "type", "writer", "writer", w ? now.name : NULL, "you",
			  w && writer_is(&now, &a->self)));
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
	bool is_held = a->held_ms && clock_mono_ms() >= a->held_ms + HELD_MS;

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
	const struct boxes_entry *b = boxes_find(a->all->api->boxes, a->vm);

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

static size_t piece_of(const struct attach *a)
{
	size_t left = a->n_typed - a->typed_at;

	return left < MESSAGE_INPUT_MAX ? left : MESSAGE_INPUT_MAX;
}

/* The next piece of what was typed is on its way; the client is held until all of it is taken. */
static int forward(struct attach *a, struct err *e)
{
	struct msg_call m = {.op = OP_vm_type, .caller = a->caller, .policy = policy_default()};

	m.n_input = (uint32_t)piece_of(a);
	memcpy(m.input, a->typed + a->typed_at, m.n_input);
	str_copy(m.vm, sizeof m.vm, a->vm);
	do
		if (getrandom(&a->request, sizeof a->request, 0) != sizeof a->request)
			abort();
	while (a->request == 0);
	if (supervisor_call(a->all->api->supervisor, a->request, &m, -1, e) < 0) {
		a->request = 0;
		return -1;
	}
	a->n_sent = m.n_input;
	return 0;
}

/* Who types looks more often for an answer. */
static void be_brisk(struct attached *all)
{
	all->brisk_until_ms = clock_mono_ms() + BRISK_MS;
	set_timer(all);
}

/* May it, and does nobody else? */
static int take_right(struct attach *a, bool by_force, struct err *e)
{
	if (auth_check(&a->caller, a->scope, OP_vm_type, a->vm, e) < 0)
		return -1;
	return writer_take(a->all->api->writers, a->vm, &a->self, by_force, clock_mono_ms(), e);
}

/* What is left of it is thrown away, for that reason. */
static void give_up(struct attach *a, const struct err *e)
{
	a->refused = *e;
	a->held_ms = 0;
	websocket_hold(a->ws, false);
}

/* Once the guest has no room: try again at every turn that its black box says it has. */
static void hold(struct attach *a)
{
	uint64_t now_ms = clock_mono_ms();

	a->held_ms = a->held_ms ? a->held_ms : now_ms;
	a->ask_ms = now_ms + HELD_MS;
}

void attach_answer(struct attached *all, uint64_t request, const struct msg_answer *answer)
{
	struct err e = answer->err;
	struct attach *a;

	LIST_FOREACH(a, &all->list, link)
	if (a->request == request)
		break;
	if (!a)
		return;
	a->request = 0;
	err_sane(&e);
	if (e.code == ERR_LIMIT) {
		hold(a);
		return;
	}
	if (!e.code) {
		a->typed_at += a->n_sent;
		a->held_ms = 0;
		be_brisk(all);
	}
	if (e.code || (a->typed_at < a->n_typed && forward(a, &e) < 0))
		give_up(a, &e);
	else if (a->typed_at == a->n_typed)
		websocket_hold(a->ws, false);
}

/* What was meant for one guest is not typed at the next, nor beside who has taken the right meanwhile. */
static int may_go_on(struct attach *a, const struct boxes_entry *b, struct err *e)
{
	const struct writer *w = writer_of(a->all->api->writers, a->vm, clock_mono_ms());

	if (b && a->typed_generation && b->generation != a->typed_generation)
		return err_set(
			e, CONFLICT,
			"'%s' has started anew; %zu bytes that its guest had not read before "
			"are thrown away",
			a->vm, a->n_typed - a->typed_at);
	if (w && !writer_is(w, &a->self))
		return take_right(a, false, e);
	return 0;
}

static void send_held(struct attach *a)
{
	const struct boxes_entry *b = boxes_find(a->all->api->boxes, a->vm);
	uint64_t now_ms = clock_mono_ms();
	struct err e;

	if (may_go_on(a, b, &e) < 0) {
		give_up(a, &e);
		return;
	}
	if (b && now_ms < a->ask_ms &&
	    blackbox_typing_room(&b->map, atomic_load(&b->map.box->typed)) < piece_of(a))
		return;
	if (take_right(a, false, &e) < 0 || forward(a, &e) < 0)
		give_up(a, &e);
}

static void take_typed(struct attach *a, const struct frame *f)
{
	const struct boxes_entry *b = boxes_find(a->all->api->boxes, a->vm);
	struct err e;

	if (f->n == 0)
		return;
	memcpy(a->typed, f->bytes, f->n);
	a->n_typed = f->n;
	a->typed_at = 0;
	a->typed_generation = b ? b->generation : 0;
	if (take_right(a, false, &e) < 0 || forward(a, &e) < 0) {
		a->refused = e;
		return;
	}
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
		return take_right(a, json_is_true(json_object_get(o, "force")), e);
	if (!strcmp(type, "leave"))
		writer_leave(a->all->api->writers, a->vm, &a->self);
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

	writer_leave(a->all->api->writers, a->vm, &a->self);
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

	writer_leave(a->all->api->writers, a->vm, &a->self);
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
	a->caller = r->caller;
	str_copy(a->vm, sizeof a->vm, request_vm(r));
	str_copy(a->scope, sizeof a->scope, r->grant.scope);
	a->self.session = ++all->next_session;
	writer_name(&r->caller, a->self.name);
	console_begin(r, &a->generation, &a->pos);
	a->is_deleted = vm_is_gone(r->api->db, a->vm); /* since the request was judged */
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
