/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/recall.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void recall_add(struct recall *r, const struct msg_keep *m, int take_fd)
{
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->kept = reallocarray(r->kept, r->room, sizeof *r->kept);
		if (!r->kept)
			abort();
	}
	r->kept[r->n++] = (struct kept){.m = *m, .fd = take_fd};
}

struct kept *recall_next(struct recall *r, enum keep_kind kind, size_t *at)
{
	while (*at < r->n) {
		struct kept *k = &r->kept[(*at)++];

		if (k->m.kind == kind && k->fd >= 0)
			return k;
	}
	return NULL;
}

struct kept *recall_find(struct recall *r, const char *owner, uint64_t generation,
			 enum keep_kind kind, uint64_t tag)
{
	struct kept *k;
	size_t at = 0;

	while ((k = recall_next(r, kind, &at)))
		if (!strcmp(k->m.owner, owner) && k->m.generation == generation && k->m.tag == tag)
			return k;
	return NULL;
}

int recall_take(struct recall *r, const char *owner, uint64_t generation, enum keep_kind kind,
		uint64_t tag)
{
	struct kept *k = recall_find(r, owner, generation, kind, tag);
	int fd = k ? k->fd : -1;

	if (k)
		k->fd = -1;
	return fd;
}

void recall_clear(struct recall *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->kept[i].fd >= 0)
			close(r->kept[i].fd);
	free(r->kept);
	*r = (struct recall){0};
}
