/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/typist.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/api.h"
#include "api/http/auth.h"
#include "api/http/request.h"
#include "api/supervisor.h"
#include "api/view/boxes.h"
#include "base/clock.h"
#include "base/str.h"

/* Then who types is told, and the supervisor asked whether the guest lives. */
enum { HELD_MS = 1000 };

void typist_begin(struct typist *t, const struct request *r, uint64_t session)
{
	t->api = r->api;
	t->caller = r->caller;
	str_copy(t->vm, sizeof t->vm, request_vm(r));
	str_copy(t->scope, sizeof t->scope, r->grant.scope);
	t->self.session = session;
	writer_name(&r->caller, t->self.name);
}

int typist_take_right(struct typist *t, bool by_force, struct err *e)
{
	if (auth_check(&t->caller, t->scope, OP_vm_type, t->vm, e) < 0)
		return -1;
	return writer_take(t->api->writers, t->vm, &t->self, by_force, clock_mono_ms(), e);
}

void typist_leave(struct typist *t)
{
	writer_leave(t->api->writers, t->vm, &t->self);
}

bool typist_is_waiting(const struct typist *t)
{
	return t->held_ms && !t->request;
}

bool typist_is_held(const struct typist *t)
{
	return t->held_ms && clock_mono_ms() >= t->held_ms + HELD_MS;
}

static size_t piece_of(const struct typist *t)
{
	size_t left = t->n - t->at;

	return left < MESSAGE_INPUT_MAX ? left : MESSAGE_INPUT_MAX;
}

/* The next piece is on its way. */
static int forward(struct typist *t, struct err *e)
{
	struct msg_call m = {.op = OP_vm_type, .caller = t->caller, .policy = policy_default()};

	m.n_input = (uint32_t)piece_of(t);
	memcpy(m.input, t->bytes + t->at, m.n_input);
	str_copy(m.vm, sizeof m.vm, t->vm);
	do
		if (getrandom(&t->request, sizeof t->request, 0) != sizeof t->request)
			abort();
	while (t->request == 0);
	if (supervisor_call(t->api->supervisor, t->request, &m, -1, e) < 0) {
		t->request = 0;
		return -1;
	}
	t->n_sent = m.n_input;
	return 1;
}

int typist_type(struct typist *t, const uint8_t *bytes, size_t n, struct err *e)
{
	const struct boxes_entry *b = boxes_find(t->api->boxes, t->vm);

	if (n == 0)
		return 0;
	memcpy(t->bytes, bytes, n);
	t->n = n;
	t->at = 0;
	t->generation = b ? b->generation : 0;
	return typist_take_right(t, false, e) < 0 ? -1 : forward(t, e);
}

static int give_up(struct typist *t)
{
	t->held_ms = 0;
	return -1;
}

/* The guest has no room: tried again at every turn that its black box says it has. */
static int hold(struct typist *t)
{
	uint64_t now_ms = clock_mono_ms();

	t->held_ms = t->held_ms ? t->held_ms : now_ms;
	t->ask_ms = now_ms + HELD_MS;
	return 1;
}

int typist_answer(struct typist *t, const struct msg_answer *answer, struct err *e)
{
	struct err told = answer->err;

	t->request = 0;
	err_sane(&told);
	if (told.code == ERR_UNREAD)
		return hold(t);
	if (told.code) {
		*e = told;
		return give_up(t);
	}
	t->at += t->n_sent;
	t->held_ms = 0;
	return t->at < t->n ? forward(t, e) : 0;
}

/* What was meant for one guest is not typed at the next, nor beside who has taken the right meanwhile. */
static int may_go_on(struct typist *t, const struct boxes_entry *b, struct err *e)
{
	const struct writer *w = writer_of(t->api->writers, t->vm, clock_mono_ms());

	if (b && t->generation && b->generation != t->generation)
		return err_set(
			e, CONFLICT,
			"'%s' has started anew; %zu bytes that its guest had not read before "
			"are thrown away",
			t->vm, t->n - t->at);
	if (w && !writer_is(w, &t->self))
		return typist_take_right(t, false, e);
	return 0;
}

int typist_again(struct typist *t, struct err *e)
{
	const struct boxes_entry *b = boxes_find(t->api->boxes, t->vm);

	if (may_go_on(t, b, e) < 0)
		return give_up(t);
	if (b && clock_mono_ms() < t->ask_ms &&
	    blackbox_typing_room(&b->map, atomic_load(&b->map.box->typed)) < piece_of(t))
		return 1;
	if (typist_take_right(t, false, e) < 0 || forward(t, e) < 0)
		return give_up(t);
	return 1;
}
