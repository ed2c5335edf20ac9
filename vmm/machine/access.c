/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/access.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/blackbox.h"
#include "vmm/vdev/vdev.h"

static bool is_inside(const struct space_region *r, const struct access *a)
{
	return a->width - 1 <= r->last - a->address;
}

/* The region that decides. One that lies under others gets what is not wholly inside one of them:
 * PCI 3.0, 3.2.2.3.2, where a dword at CONFIG_ADDRESS is meant, and a byte in its middle is not. */
static const struct space_region *region_of(const struct space *s, const struct access *a)
{
	const struct space_region *r = space_find(s, a->address);
	const struct space_region *under;

	if (r && is_inside(r, a))
		return r;
	under = space_find_under(s, a->address, a->width);
	return under ? under : r;
}

/* The vdev that answers, behind its bus if it is on one; false when it does not permit the access. */
static bool find_target(const struct space_region *r, const struct access *a,
			struct vdev_target *ret)
{
	const struct vdev_class *c;
	bool is_there = true;

	if (!r || r->kind != SPACE_VDEV || !is_inside(r, a))
		return false;
	if (a->is_part && r->vdev->class->region[r->index].is_whole)
		return false;
	*ret = (struct vdev_target){r->vdev, r->index, a->address - r->base};
	if (r->vdev->class->route) {
		pthread_mutex_lock(&r->vdev->lock);
		is_there = r->vdev->class->route(r->vdev, ret, a->width);
		pthread_mutex_unlock(&r->vdev->lock);
	}
	c = ret->vdev->class;
	return is_there && (c->widths >> a->width & 1) &&
	       (a->is_write ? c->write != NULL : c->read != NULL);
}

static bool is_split(const struct space *s, const struct access *a)
{
	return s->is_bus && (a->width == 2 || a->width == 4) && a->address < s->last;
}

static struct access half_of(const struct access *a, unsigned which)
{
	unsigned width = a->width / 2;

	return (struct access){.address = a->address + which * width,
			       .value = a->value >> which * width * 8,
			       .width = width,
			       .is_write = a->is_write,
			       .is_part = true};
}

enum space_answer access_judge(const struct space *s, const struct access *a)
{
	const struct space_region *r = region_of(s, a);
	struct vdev_target target;

	if (find_target(r, a, &target))
		return SPACE_BY_VDEV;
	if (is_split(s, a)) {
		struct access low = half_of(a, 0), high = half_of(a, 1);
		enum space_answer at_low = access_judge(s, &low), at_high = access_judge(s, &high);

		return at_low == SPACE_BY_VDEV ? at_high : at_low;
	}
	return r ? SPACE_DENIED : SPACE_NOBODY;
}

static uint64_t ones(unsigned width)
{
	return width >= 8 ? UINT64_MAX : (UINT64_C(1) << width * 8) - 1;
}

static void dispatch(const struct vdev_target *t, struct blackbox_map *box, struct access *a)
{
	struct vdev *d = t->vdev;
	struct blackbox_vdev *row = &box->vdev[d->index];

	pthread_mutex_lock(&d->lock);
	if (a->is_write)
		d->class->write(d, t->region, t->offset, a->width, a->value & ones(a->width));
	else
		a->value = d->class->read(d, t->region, t->offset, a->width) & ones(a->width);
	pthread_mutex_unlock(&d->lock);
	atomic_fetch_add_explicit(a->is_write ? &row->writes : &row->reads, 1,
				  memory_order_relaxed);
}

void access_perform(const struct space *s, struct blackbox_map *box, struct access *a)
{
	struct vdev_target target;

	if (find_target(region_of(s, a), a, &target)) {
		dispatch(&target, box, a);
	} else if (is_split(s, a)) {
		struct access low = half_of(a, 0), high = half_of(a, 1);

		access_perform(s, box, &low);
		access_perform(s, box, &high);
		a->value = low.value | high.value << low.width * 8;
	} else if (!a->is_write) {
		a->value = ones(a->width);
	}
}

void access_describe(const struct space *s, const struct access *a, char *ret, size_t cap)
{
	const struct space_region *r = region_of(s, a);

	snprintf(ret, cap, "%s of %u byte%s %s %s 0x%" PRIx64 "%s%s%s",
		 a->is_write ? "write" : "read", a->width, a->width == 1 ? "" : "s",
		 a->is_write ? "to" : "from", s->noun, a->address, r ? ", which '" : "",
		 r ? r->name : ", where nobody answers", r ? "' does not permit" : "");
}
