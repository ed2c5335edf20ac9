/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/boxes.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

struct boxes {
	struct boxes_entry *entry; /* sorted by name */
	size_t n;
};

struct boxes *boxes_new(void)
{
	struct boxes *b = calloc(1, sizeof *b);

	if (b)
		b->entry = calloc(BOXES_MAX, sizeof *b->entry);
	if (!b || !b->entry)
		abort();
	return b;
}

void boxes_free(struct boxes *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		blackbox_unmap(&b->entry[i].map);
	free(b->entry);
	free(b);
}

/* The first entry that does not come before vm. */
static size_t place(const struct boxes *b, const char *vm)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(b->entry[middle].vm, vm) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int is_at(const struct boxes *b, size_t i, const char *vm)
{
	return i < b->n && !strcmp(b->entry[i].vm, vm);
}

int boxes_put(struct boxes *b, const char *vm, uint64_t generation, int take_fd, struct err *e)
{
	AUTO_FD int fd = take_fd; /* the mapping needs it no longer */
	struct boxes_entry new = {.generation = generation};
	size_t i = place(b, vm);

	str_copy(new.vm, sizeof new.vm, vm);
	if (!is_at(b, i, vm) && b->n == BOXES_MAX)
		return err_set(e, LIMIT, "the black box of '%s' is one more than %d", vm,
			       BOXES_MAX);
	if (blackbox_map_reader(fd, &new.map, e) < 0)
		return err_wrap(e, "map the black box of '%s'", vm);
	if (is_at(b, i, vm)) {
		blackbox_unmap(&b->entry[i].map);
	} else {
		memmove(b->entry + i + 1, b->entry + i, (b->n - i) * sizeof *b->entry);
		b->n++;
	}
	b->entry[i] = new;
	return 0;
}

void boxes_drop(struct boxes *b, const char *vm)
{
	size_t i = place(b, vm);

	if (!is_at(b, i, vm))
		return;
	blackbox_unmap(&b->entry[i].map);
	b->n--;
	memmove(b->entry + i, b->entry + i + 1, (b->n - i) * sizeof *b->entry);
}

const struct boxes_entry *boxes_find(const struct boxes *b, const char *vm)
{
	size_t i = place(b, vm);

	return is_at(b, i, vm) ? &b->entry[i] : NULL;
}

uint64_t boxes_uptime_ms(const struct blackbox_map *m, uint64_t now_ns)
{
	uint64_t started_ns = atomic_load_explicit(&m->box->started_ns, memory_order_relaxed);

	return started_ns && started_ns < now_ns ? (now_ns - started_ns) / 1000000 : 0;
}
