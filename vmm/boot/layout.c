/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/layout.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "vmm/machine/memory.h"

enum { PAGE = 0x1000, CONVENTIONAL_END = 0xa0000 };
#define FOUR_GIB (UINT64_C(1) << 32)

/* The first part that overlaps [gpa, gpa + bytes), or NULL. The sum cannot overflow: it is checked
 * against memory before. */
static const struct layout_part *taken(const struct layout *l, uint64_t gpa, uint64_t bytes)
{
	for (unsigned i = 0; i < l->n; i++)
		if (gpa < l->part[i].gpa + l->part[i].bytes && l->part[i].gpa < gpa + bytes)
			return &l->part[i];
	return NULL;
}

bool layout_is_free(const struct layout *l, uint64_t gpa, uint64_t bytes)
{
	return !taken(l, gpa, bytes);
}

static void insert(struct layout *l, uint64_t gpa, uint64_t bytes, const char *what)
{
	unsigned at = 0;

	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->part = reallocarray(l->part, l->room, sizeof *l->part);
		if (!l->part)
			abort();
	}
	while (at < l->n && l->part[at].gpa < gpa)
		at++;
	memmove(&l->part[at + 1], &l->part[at], (l->n - at) * sizeof *l->part);
	l->n++;
	l->part[at] = (struct layout_part){.gpa = gpa, .bytes = bytes};
	str_copy(l->part[at].what, sizeof l->part[at].what, what);
}

static int explain_outside(const struct layout *l, uint64_t gpa, uint64_t bytes, const char *what,
			   struct err *e)
{
	const struct memory_range *r = memory_range_of(l->memory, gpa);
	char size[24];

	if (!r)
		return err_set(e, START,
			       "'%s' wants %s at 0x%" PRIx64 ", where the board has "
			       "no memory: add `ram 0x%" PRIx64 ",LENGTH` before the `load`",
			       what, str_bytes(bytes, size), gpa, gpa & ~UINT64_C(0xfff));
	return err_set(e, START,
		       "'%s' wants %s at 0x%" PRIx64 ", but that `%s` ends at "
		       "0x%" PRIx64 ": make it longer",
		       what, str_bytes(bytes, size), gpa, r->is_rom ? "rom" : "ram",
		       r->gpa + r->bytes);
}

int layout_take(struct layout *l, uint64_t gpa, uint64_t bytes, const char *what, void **ret_host,
		struct err *e)
{
	void *host = memory_at(l->memory, gpa, bytes);
	const struct layout_part *other;

	if (!host)
		return explain_outside(l, gpa, bytes, what, e);
	if (l->n == LAYOUT_PARTS)
		return err_set(e, START, "'%s': more than %d pieces in guest memory", what,
			       LAYOUT_PARTS);
	other = taken(l, gpa, bytes);
	if (other)
		return err_set(e, START,
			       "'%s' at 0x%" PRIx64 " to 0x%" PRIx64 " meets '%s' at "
			       "0x%" PRIx64 " to 0x%" PRIx64 ": load one of them elsewhere",
			       what, gpa, gpa + bytes - 1, other->what, other->gpa,
			       other->gpa + other->bytes - 1);
	insert(l, gpa, bytes, what);
	if (ret_host)
		*ret_host = host;
	return 0;
}

static int no_room(uint64_t bytes, const char *what, struct err *e)
{
	char size[24];

	return err_set(e, START,
		       "'%s' finds no %s of free RAM where it may lie: make a `ram` "
		       "longer",
		       what, str_bytes(bytes, size));
}

int layout_take_low(struct layout *l, uint64_t bytes, const char *what, uint64_t *ret_gpa,
		    void **ret_host, struct err *e)
{
	for (unsigned i = 0; i < l->memory->n; i++) {
		const struct memory_range *r = &l->memory->range[i];
		uint64_t end = r->gpa + r->bytes, at = r->gpa < PAGE ? PAGE : r->gpa;

		while (!r->is_rom && at < end && bytes <= end - at) {
			const struct layout_part *p = taken(l, at, bytes);

			if (!p) {
				*ret_gpa = at;
				return layout_take(l, at, bytes, what, ret_host, e);
			}
			at = (p->gpa + p->bytes + PAGE - 1) & ~UINT64_C(0xfff);
		}
	}
	return no_room(bytes, what, e);
}

/* Highest free place of a range, or false. */
static bool highest(const struct layout *l, const struct memory_range *r, uint64_t bytes,
		    uint64_t below, uint64_t *ret)
{
	uint64_t end = r->gpa + r->bytes < below ? r->gpa + r->bytes : below;
	uint64_t start = r->gpa < PAGE ? PAGE : r->gpa;

	while (end > start && bytes <= end - start) {
		uint64_t at = (end - bytes) & ~UINT64_C(0xfff);
		const struct layout_part *p;

		if (at < start)
			return false;
		p = taken(l, at, bytes);
		if (!p) {
			*ret = at;
			return true;
		}
		end = p->gpa;
	}
	return false;
}

int layout_take_high(struct layout *l, uint64_t bytes, uint64_t below, const char *what,
		     uint64_t *ret_gpa, void **ret_host, struct err *e)
{
	for (unsigned i = l->memory->n; i-- > 0;)
		if (!l->memory->range[i].is_rom &&
		    highest(l, &l->memory->range[i], bytes, below, ret_gpa))
			return layout_take(l, *ret_gpa, bytes, what, ret_host, e);
	return no_room(bytes, what, e);
}

int layout_take_boot(struct layout *l, uint64_t bytes, const char *what, uint64_t *ret_gpa,
		     void **ret_host, struct err *e)
{
	struct err ignored;

	if (layout_take_high(l, bytes, CONVENTIONAL_END, what, ret_gpa, ret_host, &ignored) < 0 &&
	    layout_take_high(l, bytes, FOUR_GIB, what, ret_gpa, ret_host, e) < 0)
		return -1;
	if (!l->boot_gpa || *ret_gpa < l->boot_gpa)
		l->boot_gpa = *ret_gpa;
	return 0;
}

void layout_free(struct layout *l)
{
	free(l->part);
	l->part = NULL;
	l->n = l->room = 0;
}
