/* SPDX-License-Identifier: Apache-2.0 */
#include "api/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/str.h"

struct right {
	LIST_ENTRY(right) link;
	char vm[NAME_CAP];
	struct writer who;
	uint64_t until_ms;
};

struct writers {
	LIST_HEAD(right_list, right) list;
	unsigned n;
};

struct writers *writers_new(void)
{
	struct writers *all = calloc(1, sizeof *all);

	if (!all)
		abort();
	LIST_INIT(&all->list);
	return all;
}

static void drop(struct writers *all, struct right *r)
{
	LIST_REMOVE(r, link);
	all->n--;
	free(r);
}

void writers_free(struct writers *all)
{
	while (all && !LIST_EMPTY(&all->list))
		drop(all, LIST_FIRST(&all->list));
	free(all);
}

void writer_name(const struct msg_caller *c, char ret[static WRITER_NAME])
{
	if (c->identity[0])
		snprintf(ret, WRITER_NAME, "token '%.63s'", c->identity);
	else
		snprintf(ret, WRITER_NAME, "uid %u", c->uid);
}

bool writer_is(const struct writer *a, const struct writer *b)
{
	return a->session == b->session && !strcmp(a->name, b->name);
}

static struct right *find(const struct writers *all, const char *vm)
{
	struct right *r;

	LIST_FOREACH(r, &all->list, link)
	if (!strcmp(r->vm, vm))
		return r;
	return NULL;
}

static void drop_old(struct writers *all, uint64_t now_ms)
{
	struct right *r = LIST_FIRST(&all->list), *next;

	for (; r; r = next) {
		next = LIST_NEXT(r, link);
		if (r->until_ms <= now_ms)
			drop(all, r);
	}
}

static struct right *add(struct writers *all, const char *vm)
{
	struct right *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	str_copy(r->vm, sizeof r->vm, vm);
	LIST_INSERT_HEAD(&all->list, r, link);
	all->n++;
	return r;
}

int writer_take(struct writers *all, const char *vm, const struct writer *who, bool by_force,
		uint64_t now_ms, struct err *e)
{
	struct right *r;

	drop_old(all, now_ms);
	r = find(all, vm);
	if (r && !writer_is(&r->who, who) && !by_force)
		return err_set(e, CONFLICT,
			       "%s types at the console of '%s'; wait until it leaves or has typed "
			       "nothing for %d s, or take the right to type with force",
			       r->who.name, vm,
			       (r->who.session ? WRITER_IDLE_MS : WRITER_POST_MS) / 1000);
	if (!r && all->n >= WRITER_MOST)
		return err_set(e, LIMIT, "%d consoles are typed at, which is the limit", all->n);
	r = r ? r : add(all, vm);
	r->who = *who;
	r->until_ms = now_ms + (who->session ? WRITER_IDLE_MS : WRITER_POST_MS);
	return 0;
}

void writer_leave(struct writers *all, const char *vm, const struct writer *who)
{
	struct right *r = find(all, vm);

	if (r && writer_is(&r->who, who))
		drop(all, r);
}

const struct writer *writer_of(const struct writers *all, const char *vm, uint64_t now_ms)
{
	const struct right *r = find(all, vm);

	return r && r->until_ms > now_ms ? &r->who : NULL;
}
