/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/space.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[SPACE_KINDS] = {
	[SPACE_RAM] = "ram",   [SPACE_ROM] = "rom",	     [SPACE_PASS] = "pass",
	[SPACE_VDEV] = "vdev", [SPACE_KERNEL] = "in-kernel",
};

const char *space_kind_id(enum space_kind k)
{
	return kinds[k];
}

/* Index of the first region that ends at or behind addr; n when there is none. */
static unsigned first_at(const struct space *s, uint64_t addr)
{
	unsigned low = 0, high = s->n;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (s->region[mid].last < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct space_region *space_find(const struct space *s, uint64_t addr)
{
	unsigned i = first_at(s, addr);

	return i < s->n && s->region[i].base <= addr ? &s->region[i] : NULL;
}

const struct space_region *space_find_under(const struct space *s, uint64_t addr, uint64_t bytes)
{
	for (unsigned i = 0; i < s->n_under; i++)
		if (s->under[i].base <= addr && addr <= s->under[i].last &&
		    bytes - 1 <= s->under[i].last - addr)
			return &s->under[i];
	return NULL;
}

bool space_is_free(const struct space *s, uint64_t base, uint64_t bytes)
{
	unsigned i = first_at(s, base);

	if (bytes == 0)
		return true;
	if (base > s->last || bytes - 1 > s->last - base)
		return false;
	return i == s->n || s->region[i].base > base + (bytes - 1);
}

static void insert(struct space *s, unsigned at, const struct space_region *r)
{
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->region = reallocarray(s->region, s->room, sizeof *s->region);
		if (!s->region)
			abort();
	}
	memmove(&s->region[at + 1], &s->region[at], (s->n - at) * sizeof *s->region);
	s->region[at] = *r;
	s->n++;
}

static int check(const struct space *s, const struct space_region *r, struct err *e)
{
	if (r->base > r->last || r->last > s->last)
		return err_set(e, CONFIG,
			       "'%s' at %s 0x%" PRIx64 " to 0x%" PRIx64 " leaves the "
			       "space, which ends at 0x%" PRIx64 ": move it",
			       r->name, s->noun, r->base, r->last, s->last);
	return 0;
}

int space_add(struct space *s, const struct space_region *r, struct err *e)
{
	unsigned i = first_at(s, r->base);

	if (check(s, r, e) < 0)
		return -1;
	if (r->is_under) {
		if (s->n_under == SPACE_UNDER)
			return err_set(e, CONFIG, "'%s' is one region under others too many",
				       r->name);
		s->under[s->n_under++] = *r;
		return 0;
	}
	if (i < s->n && s->region[i].base <= r->last)
		return err_set(e, CONFIG,
			       "'%s' at %s 0x%" PRIx64 " to 0x%" PRIx64 " meets '%s' at "
			       "0x%" PRIx64 " to 0x%" PRIx64 ": move one of them",
			       r->name, s->noun, r->base, r->last, s->region[i].name,
			       s->region[i].base, s->region[i].last);
	insert(s, i, r);
	return 0;
}

int space_fill(struct space *s, const struct space_region *r, struct err *e)
{
	struct space_region part = *r;

	if (check(s, r, e) < 0)
		return -1;
	for (;;) {
		unsigned i = first_at(s, part.base);
		bool blocked = i < s->n && s->region[i].base <= r->last;

		if (!blocked || s->region[i].base > part.base) {
			part.last = blocked ? s->region[i].base - 1 : r->last;
			insert(s, i, &part);
			i++;
		}
		if (!blocked || s->region[i].last >= r->last)
			return 0;
		part.base = s->region[i].last + 1;
	}
}

void space_free(struct space *s)
{
	free(s->region);
	s->region = NULL;
	s->n = s->room = s->n_under = 0;
}
