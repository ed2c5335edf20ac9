/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - the CALLs about who may come without a uid of this host. Supervisor. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/door/again.h"
#include "daemon/door/call.h"
#include "daemon/store/event.h"
#include "daemon/store/ledger.h"
#include "daemon/store/token.h"

enum { LIFE_MOST_S = 10 * 366 * 86400 };

/* A pattern of names: what a name may hold, and * and ?. */
static int check(const struct msg_token *m, struct err *e)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyz0123456789._-*?";

	if (!str_is_terminated(m->vms, sizeof m->vms) || m->vms[strspn(m->vms, fit)])
		return err_set(e, INVALID,
			       "a pattern of VM names holds a-z 0-9 . _ - and * or ? for others");
	if (m->role <= ROLE_ANYONE || m->role >= ROLE_COUNT)
		return err_set(e, INVALID, "a token's role is reader, operator or admin");
	if (m->lives_s < 0 || m->lives_s > LIFE_MOST_S)
		return err_set(e, INVALID, "a token lives for 0 (ever) to %d seconds", LIFE_MOST_S);
	return 0;
}

static int store(struct call *c, const struct token *t, struct err *e)
{
	struct event ev = event_make(JOURNAL_TOKEN, "", "the %s '%s' gives the role %s for %s",
				     t->is_certificate ? "client certificate" : "token", t->name,
				     role_id(t->role), t->vms[0] ? t->vms : "every VM");

	ev.request = c->request;
	if (ledger_begin(c->d, e) < 0)
		return -1;
	if (token_insert(&c->d->store, t, e) < 0 || again_note(c, 0, true, e) < 0 ||
	    ledger_stage(c->d, &ev, e) < 0) {
		ledger_abort(c->d);
		return -1;
	}
	return ledger_commit(c->d, e);
}

void call_token_create(struct call *c)
{
	const struct msg_token *m = &c->m.token;
	struct msg_answer a = {.created = 1};
	struct token t = {.is_certificate = m->is_certificate,
			  .role = (enum role)m->role,
			  .created_ms = clock_wall_ms(),
			  .uid = c->m.caller.uid};
	struct err e;

	if (check(m, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	str_copy(t.name, sizeof t.name, c->m.vm);
	str_copy(t.vms, sizeof t.vms, m->vms);
	if (m->lives_s)
		t.expires_ms = t.created_ms + m->lives_s * 1000;
	if (t.is_certificate) /* who holds the key proves it by TLS */
		snprintf(t.hash, sizeof t.hash, "certificate:%.48s", t.name);
	else
		token_make_secret(&t, a.secret);
	if (store(c, &t, &e) < 0)
		call_refuse(c, &e);
	else
		call_answer(c, &a);
	explicit_bzero(a.secret, sizeof a.secret);
}

static int renew(struct call *c, const struct token *t, struct err *e)
{
	struct event ev = event_make(JOURNAL_TOKEN, "",
				     "the token '%s' has another secret: its "
				     "request was sent again",
				     t->name);

	ev.request = c->request;
	if (ledger_begin(c->d, e) < 0)
		return -1;
	if (token_renew(&c->d->store, t, e) < 0 || ledger_stage(c->d, &ev, e) < 0) {
		ledger_abort(c->d);
		return -1;
	}
	return ledger_commit(c->d, e);
}

/* Nobody has kept the secret; the one of the first time is void now. */
void call_token_again(struct call *c)
{
	struct msg_answer a = {.created = 1};
	struct token t = {.is_certificate = c->m.token.is_certificate};
	struct err e;

	str_copy(t.name, sizeof t.name, c->m.vm);
	if (!t.is_certificate)
		token_make_secret(&t, a.secret);
	if (!t.is_certificate && renew(c, &t, &e) < 0)
		call_refuse(c, &e);
	else
		call_answer(c, &a);
	explicit_bzero(a.secret, sizeof a.secret);
}

void call_token_delete(struct call *c)
{
	struct event ev = event_make(JOURNAL_TOKEN, "", "the token '%s' is gone", c->m.vm);
	struct err e;

	ev.request = c->request;
	if (ledger_begin(c->d, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	if (token_delete(&c->d->store, c->m.vm, &e) < 0 || again_note(c, 0, false, &e) < 0 ||
	    ledger_stage(c->d, &ev, &e) < 0) {
		ledger_abort(c->d);
		call_refuse(c, &e);
		return;
	}
	if (ledger_commit(c->d, &e) < 0)
		call_refuse(c, &e);
	else
		call_answer(c, &(struct msg_answer){0});
}
