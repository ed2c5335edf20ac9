/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keeper/shelf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_same(const struct msg_keep *a, const struct msg_keep *b)
{
	return a->kind == b->kind && a->tag == b->tag && a->generation == b->generation &&
	       !strcmp(a->owner, b->owner);
}

void shelf_put(struct shelf *s, const struct msg_keep *m, int take_fd)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!is_same(&s->item[i].m, m))
			continue;
		close(s->item[i].fd);
		s->item[i] = (struct shelf_item){.m = *m, .fd = take_fd};
		return;
	}
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->item = reallocarray(s->item, s->room, sizeof *s->item);
		if (!s->item)
			abort();
	}
	s->item[s->n++] = (struct shelf_item){.m = *m, .fd = take_fd};
}

void shelf_drop(struct shelf *s, const struct msg_drop *m)
{
	size_t left = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct msg_keep *k = &s->item[i].m;

		if (!strcmp(k->owner, m->owner) && m->generation == k->generation &&
		    m->tag == k->tag && (m->kind == KEEP_ANY || m->kind == k->kind))
			close(s->item[i].fd);
		else
			s->item[left++] = s->item[i];
	}
	s->n = left;
}

void shelf_orphan(struct shelf *s, uint64_t now_ms)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->item[i].m.kind == KEEP_LINK && s->item[i].m.orphan_ms)
			s->item[i].due_ms = now_ms + s->item[i].m.orphan_ms;
}

void shelf_adopt(struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->item[i].due_ms = 0;
}

uint64_t shelf_shut_due(struct shelf *s, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct shelf_item *x = &s->item[i];

		if (x->due_ms && x->due_ms <= now_ms) {
			shutdown(x->fd, SHUT_RDWR);
			x->due_ms = 0;
		} else if (x->due_ms && (!next_ms || x->due_ms < next_ms)) {
			next_ms = x->due_ms;
		}
	}
	return next_ms;
}

void shelf_clear(struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++)
		close(s->item[i].fd);
	free(s->item);
	*s = (struct shelf){0};
}
