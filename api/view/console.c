/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/view/boxes.h"
#include "api/http/http.h"
#include "api/http/request.h"
#include "api/ticker.h"
#include "api/view/follower.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "base/auto.h"
#include "base/str.h"

#define CONSOLE_TYPE "text/plain; charset=utf-8"

/* The two rings of text in a black box: what the guest printed, what its worker logged. */
struct ring {
	size_t bytes;
	size_t head; /* of its count, in the box */
	size_t (*read)(const struct blackbox_map *m, uint64_t *pos, char *ret, size_t cap);
	enum param tail, since, of, follow, gapless; /* of: the generation that `since` is of */
	const char *position, *generation;	     /* headers */
};

static const struct ring printed = {
	.bytes = BLACKBOX_CONSOLE,
	.head = offsetof(struct blackbox, console_head),
	.read = blackbox_read_console,
	.tail = PARAM_OF_vm_console_tail,
	.since = PARAM_OF_vm_console_since,
	.of = PARAM_OF_vm_console_generation,
	.follow = PARAM_OF_vm_console_follow,
	.gapless = PARAM_OF_vm_console_gapless,
	.position = "Console-Position",
	.generation = "Console-Generation",
};

static const struct ring logged = {
	.bytes = BLACKBOX_LOG,
	.head = offsetof(struct blackbox, log_head),
	.read = blackbox_read_log,
	.tail = PARAM_OF_vm_log_tail,
	.since = PARAM_OF_vm_log_since,
	.of = PARAM_OF_vm_log_generation,
	.follow = PARAM_OF_vm_log_follow,
	.gapless = PARAM_OF_vm_log_gapless,
	.position = "Log-Position",
	.generation = "Log-Generation",
};

/* As a WebSocket begins with it. */
static const struct ring attached = {
	.bytes = BLACKBOX_CONSOLE,
	.read = blackbox_read_console,
	.tail = PARAM_OF_vm_attach_tail,
	.since = PARAM_OF_vm_attach_since,
	.of = PARAM_OF_vm_attach_generation,
};

/* One that follows. */
struct console {
	struct follower follower; /* comes first */
	const struct ring *ring;
	char vm[NAME_CAP];
	uint64_t generation, pos;
	bool is_gapless;
};

struct consoles {
	struct api *api;
	struct followers list;
	sd_event_source *timer;
};

static uint64_t head_of(const struct ring *ring, const struct blackbox_map *m)
{
	const char *head = (const char *)m->box + ring->head;

	return atomic_load_explicit((const _Atomic uint64_t *)head, memory_order_relaxed);
}

static int has_news(const struct console *c)
{
	const struct boxes_entry *b = boxes_find(c->follower.api->boxes, c->vm);

	return b && (b->generation != c->generation || head_of(c->ring, &b->map) != c->pos);
}

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct consoles *consoles = arg;
	struct follower *f;

	(void)at_us;
	LIST_FOREACH(f, &consoles->list, link)
	if (has_news((const struct console *)f))
		request_resume(f->request);
	if (LIST_EMPTY(&consoles->list))
		return 0;
	ticker_next(s, CONSOLE_POLL_MS);
	return 0;
}

struct consoles *consoles_new(struct api *api)
{
	struct consoles *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->api = api;
	LIST_INIT(&c->list);
	c->timer = ticker_new(api->loop, on_time, c);
	return c;
}

void consoles_free(struct consoles *c)
{
	if (!c)
		return;
	sd_event_source_disable_unref(c->timer);
	free(c);
}

void console_wake(struct consoles *consoles)
{
	followers_wake(&consoles->list);
}

static void on_freed(void *arg)
{
	struct console *c = arg;

	follower_leave(&c->follower);
	free(c);
}

static ssize_t on_read(void *arg, uint64_t stream_pos, char *to, size_t room)
{
	struct console *c = arg;
	const struct boxes_entry *b = boxes_find(c->follower.api->boxes, c->vm);
	uint64_t before = c->pos;
	size_t n = 0;

	(void)stream_pos;
	if (!c->follower.request || c->follower.request->is_gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	/* Bytes of the guest's have no last word: that it breaks off is one, the next answer says why. */
	if (c->follower.is_over)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	/* Its black box is gone with the VM, or has not come yet. */
	if (http_is_closing(c->follower.api->http) ||
	    (!b && vm_is_gone(c->follower.api->db, c->vm)))
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (b && b->generation != c->generation) {
		if (c->is_gapless)
			return MHD_CONTENT_READER_END_OF_STREAM;
		c->generation = b->generation;
		c->pos = 0;
	}
	if (b)
		n = c->ring->read(&b->map, &c->pos, to, room);
	if (c->is_gapless && c->pos != before + n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0)
		request_suspend(c->follower.request);
	return (ssize_t)n;
}

/* The first byte of the last `lines` lines; a last line without an end counts. */
static size_t tail_of(const char *text, size_t n, int64_t lines)
{
	size_t at = n;

	if (lines == 0)
		return n;
	while (at > 0) {
		if (text[at - 1] == '\n' && at < n && --lines == 0)
			break;
		at--;
	}
	return at;
}

/* Where to begin. *ret_text and *ret_n: what is there from then on, to be freed. */
static uint64_t start(const struct param_set *p, const struct ring *ring,
		      const struct boxes_entry *b, char **ret_text, size_t *ret_n,
		      uint64_t *ret_end)
{
	char *text = malloc(ring->bytes);
	uint64_t pos = 0;
	size_t n, skip = 0;

	if (!text)
		abort();
	if (param_is_set(p, ring->since) &&
	    (!param_is_set(p, ring->of) || (uint64_t)param_number(p, ring->of) == b->generation))
		pos = (uint64_t)param_number(p, ring->since);
	n = ring->read(&b->map, &pos, text, ring->bytes);
	if (param_is_set(p, ring->tail))
		skip = tail_of(text, n, param_number(p, ring->tail));
	memmove(text, text + skip, n - skip);
	*ret_text = text;
	*ret_n = n - skip;
	*ret_end = pos;
	return pos - (n - skip);
}

void console_begin(const struct request *r, uint64_t *ret_generation, uint64_t *ret_pos)
{
	const struct boxes_entry *b = boxes_find(r->api->boxes, request_vm(r));
	AUTO_FREE char *text = NULL;
	uint64_t end;
	size_t n;

	*ret_generation = b ? b->generation : 0;
	*ret_pos = b ? start(&r->params, &attached, b, &text, &n, &end) : 0;
}

static void put_position(struct request *r, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRIu64, value);
	request_header(r, name, digits);
}

static void follow(struct request *r, const struct ring *ring, uint64_t generation, uint64_t pos)
{
	struct consoles *all = r->api->consoles;
	struct console *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	*c = (struct console){
		.ring = ring,
		.generation = generation,
		.pos = pos,
		.is_gapless = param_number(&r->params, ring->gapless),
	};
	str_copy(c->vm, sizeof c->vm, request_vm(r));
	follower_join(&c->follower, &all->list, r);
	ticker_next(all->timer, CONSOLE_POLL_MS);
	request_answer_stream(r, CONSOLE_TYPE, on_read, on_freed, c);
}

static int view(struct request *r, const struct ring *ring, struct err *e)
{
	const struct boxes_entry *b = boxes_find(r->api->boxes, request_vm(r));
	bool is_following = !r->is_head && param_number(&r->params, ring->follow);
	AUTO_FREE char *text = NULL;
	uint64_t begin = 0, end = 0, generation = b ? b->generation : 0;
	int64_t id, revision;
	size_t n = 0;

	if (vm_find(r->api->db, request_vm(r), &id, &revision, e) < 0 ||
	    (is_following && http_may_hold(r->api->http, e) < 0))
		return -1;
	if (b)
		begin = start(&r->params, ring, b, &text, &n, &end);
	if (is_following) {
		follow(r, ring, generation, begin);
	} else {
		request_answer_bytes(r, 200, CONSOLE_TYPE, n ? text : "", n);
	}
	put_position(r, ring->position, is_following ? begin : end);
	put_position(r, ring->generation, generation);
	return 0;
}

int view_vm_console(struct request *r, struct err *e)
{
	return view(r, &printed, e);
}

int view_vm_log(struct request *r, struct err *e)
{
	return view(r, &logged, e);
}
