/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/overlap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/conf/draft.h"
#include "vmm/vdev/vdev.h"
#include "vmm/x86/irqchip.h"

/* What answers a range: memory, or a region of a vdev. */
struct extent {
	enum vdev_space space;
	uint64_t base, bytes;
	const struct draft_memory *memory; /* or NULL */
	const struct draft_vdev *vdev;
	struct mark at;
	bool is_under; /* implicit vdevs may lie inside it */
};

static int by_base(const void *left, const void *right)
{
	const struct extent *a = left, *b = right;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	if (a->base != b->base)
		return a->base < b->base ? -1 : 1;
	return (a->at.order > b->at.order) - (a->at.order < b->at.order);
}

static size_t collect(const struct draft *d, struct extent *x)
{
	size_t n = 0;

	for (unsigned i = 0; i < d->n_memory; i++) {
		const struct draft_memory *m = &d->memory[i];

		x[n++] = (struct extent){VDEV_MEM, m->range.gpa, m->range.bytes, m, NULL, m->at};
	}
	for (unsigned i = 0; i < d->n_vdevs; i++) {
		const struct draft_vdev *v = &d->vdev[i];

		for (unsigned r = 0; v->vdev && !v->is_wrong && r < v->vdev->n_regions; r++) {
			const struct vdev_region *g = &v->vdev->region[r];

			x[n++] = (struct extent){
				g->space,   g->base, g->bytes,
				NULL,	    v,	     v->loc_at[r].line ? v->loc_at[r] : v->at,
				g->is_under};
		}
	}
	return n;
}

static const char *label(const struct extent *x, char ret[static DRAFT_LABEL])
{
	if (x->vdev)
		return draft_vdev_label(x->vdev, ret);
	snprintf(ret, DRAFT_LABEL, "`%s`", x->memory->range.is_rom ? "rom" : "ram");
	return ret;
}

/* What to change, `x` being the one that is marked. */
static void mend(struct diagnostic *d, const struct extent *x, const struct extent *other)
{
	const struct extent *memory = x->memory ? x : other, *device = x->memory ? other : x;
	uint64_t end = other->base + other->bytes;

	if (x->vdev && other->vdev) {
		finding_hint(d, "give one of the two another `loc`");
	} else if (x->vdev || other->vdev) {
		if (memory->base < device->base)
			finding_hint(d,
				     "leave a hole for the device: end that memory at 0x%" PRIx64
				     ", go on at 0x%" PRIx64 " or above with another `ram`",
				     device->base & ~UINT64_C(4095),
				     (device->base + device->bytes + 4095) & ~UINT64_C(4095));
		else
			finding_hint(d, "let that memory begin behind the device, at 0x%" PRIx64,
				     (device->base + device->bytes + 4095) & ~UINT64_C(4095));
	} else if (x->base > other->base) {
		finding_hint(d,
			     "let it begin at 0x%" PRIx64 ", where the other one ends, or end the "
			     "other one at 0x%" PRIx64,
			     end, x->base);
	} else if (x->base == other->base) {
		finding_hint(d, "let it begin at 0x%" PRIx64 ", where the other one ends", end);
	} else {
		finding_hint(d,
			     "shorten it to a length of 0x%" PRIx64 ", so that it ends where the "
			     "other one begins",
			     other->base - x->base);
	}
}

static bool may_lie_over(const struct extent *x, const struct extent *under)
{
	return under->is_under && x->vdev && x->vdev->vdev->class->is_implicit;
}

static void clash(struct findings *f, const struct extent *a, const struct extent *b)
{
	bool is_first = a->at.line && (!b->at.line || a->at.order > b->at.order);
	const struct extent *x = is_first ? a : b, *other = is_first ? b : a;
	char mine[DRAFT_LABEL], its[DRAFT_LABEL], where[FINDING_WHERE];
	char range[PLACE_RANGE], other_range[PLACE_RANGE];
	const char *noun = x->space == VDEV_IO ? "ports " : "";
	struct diagnostic *d;

	place_range(x->base, x->bytes, range);
	place_range(other->base, other->bytes, other_range);
	d = finding_error(f, &x->at, "%s (%s%s) overlaps %s of %s (%s)", label(x, mine), noun,
			  range, label(other, its), finding_where(f, &other->at, &x->at, where),
			  other_range);
	mend(d, x, other);
}

/* Memory without an address must not land where `reserve loc` keeps a place free. */
static void check_reserved(const struct draft *d, struct findings *f)
{
	char where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_memory; i++) {
		const struct draft_memory *m = &d->memory[i];

		for (unsigned r = 0; m->is_placed && r < d->n_reserves; r++) {
			const struct draft_reserve *v = &d->reserve[r];

			if (v->place.is_pci || v->place.space != VDEV_MEM ||
			    !place_overlaps(m->range.gpa, m->range.bytes, v->place.base,
					    v->place.bytes))
				continue;
			finding_hint(finding_error(f, &m->at,
						   "right behind the memory so far, at 0x%" PRIx64
						   ", it would lie on the `reserve loc` of %s",
						   m->range.gpa,
						   finding_where(f, &v->at, &m->at, where)),
				     "give it an address: `%s 0x%" PRIx64 ",0x%" PRIx64 "`",
				     m->range.is_rom ? "rom" : "ram",
				     (v->place.base + v->place.bytes + 4095) & ~UINT64_C(4095),
				     m->range.bytes);
			break;
		}
	}
}

/* What KVM's set answers beyond the place of whoever brought it: the 8259 beside an ioapic. A device
 * there is never asked; memory is, for its slot comes first. */
static void check_irqchip(const struct draft *d, struct findings *f, const struct extent *x,
			  size_t n)
{
	const struct draft_vdev *by = NULL;
	char mine[DRAFT_LABEL], its[DRAFT_LABEL], where[FINDING_WHERE], range[PLACE_RANGE];

	for (unsigned i = 0; i < d->n_vdevs && !by; i++)
		if (d->vdev[i].vdev && d->vdev[i].vdev->class->is_irqchip)
			by = &d->vdev[i];
	for (size_t i = 0; by && i < n; i++) {
		if (!x[i].vdev || x[i].is_under || x[i].vdev->vdev->class->is_irqchip ||
		    !irqchip_takes(x[i].base, x[i].base + x[i].bytes - 1, x[i].space == VDEV_IO))
			continue;
		place_range(x[i].base, x[i].bytes, range);
		finding_hint(finding_error(f, &x[i].at,
					   "%s (%s%s) would never be asked: KVM's own interrupt "
					   "controllers answer there, which come with %s of %s",
					   label(&x[i], mine),
					   x[i].space == VDEV_IO ? "ports " : "", range,
					   draft_vdev_label(by, its),
					   finding_where(f, &by->at, &x[i].at, where)),
			     "give it another `loc`");
	}
}

void overlap_check(const struct draft *d, struct findings *f)
{
	struct extent *x = calloc(1 + d->n_memory + (size_t)d->n_vdevs * VDEV_REGIONS, sizeof *x);
	const struct extent *reach = NULL; /* of those before, the one that ends last */
	size_t n;

	if (!x)
		abort();
	n = collect(d, x);
	qsort(x, n, sizeof *x, by_base);
	for (size_t i = 0; i < n; i++) {
		if (reach && reach->space == x[i].space && x[i].base < reach->base + reach->bytes &&
		    !may_lie_over(&x[i], reach))
			clash(f, reach, &x[i]);
		if (!reach || reach->space != x[i].space ||
		    x[i].base + x[i].bytes > reach->base + reach->bytes)
			reach = &x[i];
	}
	check_irqchip(d, f, x, n);
	free(x);
	check_reserved(d, f);
}
