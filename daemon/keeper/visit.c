/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keeper/visit.h"

#include <poll.h>
#include <string.h>

#include "base/auto.h"
#include "daemon/keeper/shelf.h"

short visit_wants(const struct visit *v)
{
	return v->shows || v->is_full ? POLLOUT : POLLIN;
}

/* 1 = sent, 0 = the link is full, -1 = nobody is there. */
static int say(const struct visit *v, unsigned type, const void *body, const int *fd, struct err *e)
{
	if (wire_send(v->link, &keeping_table, type, 0, body, fd, fd != NULL, e) == 0)
		return 1;
	return e->code == ERR_PROTOCOL ? 0 : -1;
}

static int answer(struct visit *v, const struct shelf *s, struct err *e)
{
	struct msg_kept_count all = {.n = s->n};
	int r = 1;

	if (v->is_full && (r = say(v, KEEPING_FULL, &all, NULL, e)) == 1)
		v->is_full = false;
	if (!v->shows)
		return r;
	while (r == 1 && v->shown < s->n) {
		const struct shelf_item *x = &s->item[v->shown];

		if ((r = say(v, KEEPING_KEPT, &x->m, &x->fd, e)) == 1)
			v->shown++;
	}
	if (r == 1 && (r = say(v, KEEPING_RECALLED, &all, NULL, e)) == 1)
		v->shows = false;
	return r;
}

static int take(struct visit *v, struct shelf *s, struct wire_msg *m, struct err *e)
{
	struct msg_keep k;
	struct msg_drop drop;

	switch (m->hdr.type) {
	case KEEPING_KEEP:
		memcpy(&k, m->body, sizeof k);
		if (keep_check(&k, e) < 0)
			return -1;
		shelf_put(s, &k, wire_take_fd(m, 0));
		return 0;
	case KEEPING_DROP:
		memcpy(&drop, m->body, sizeof drop);
		drop.owner[sizeof drop.owner - 1] = '\0';
		shelf_drop(s, &drop);
		return 0;
	case KEEPING_RECALL:
		v->shows = true;
		v->shown = 0;
		return 0;
	default: return err_set(e, PROTOCOL, "message %u out of turn", m->hdr.type);
	}
}

int visit_serve(struct visit *v, struct shelf *s, struct err *e)
{
	for (;;) {
		AUTO(wire_close_fds) struct wire_msg m = {0}; /* nothing may be received */
		int r;

		if (v->shows || v->is_full) {
			r = answer(v, s, e);
			if (r != 1)
				return r;
		}
		r = wire_recv(v->link, &keeping_table, WIRE_TO_KEEPER, &m, e);
		if (r == 0)
			return 0;
		/* A descriptor that this process has no room for is cut off by the kernel. */
		if (r < 0 && e->code == ERR_PROTOCOL)
			v->is_full = true;
		else if (r < 0 || take(v, s, &m, e) < 0)
			return -1;
	}
}
