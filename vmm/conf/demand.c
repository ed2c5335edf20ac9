/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/demand.h"

#include <inttypes.h>

#include "base/str.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/finding.h"
#include "vmm/vdev/vdev.h"

/* The IOMMU keeps the pages that it knows: what the balloon gives back, a passed function still writes. */
static void check_pins(const struct draft *d, struct findings *f)
{
	for (unsigned i = 0; i < d->n_vdevs; i++)
		for (unsigned j = 0; j < d->n_vdevs; j++) {
			const struct draft_vdev *v = &d->vdev[i], *pin = &d->vdev[j];
			struct diagnostic *g;

			if (!v->vdev || !v->vdev->class->frees_ram || !pin->vdev ||
			    !pin->vdev->class->pins_ram)
				continue;
			g = finding_error(
				f, &v->at,
				"`%s` would give memory back to the host that the function "
				"passed in line %u still writes to",
				v->vdev->class->name, pin->at.line);
			finding_hint(g, "remove one of the two");
			break;
		}
}

/* A guest that does as it is asked to must have something left. */
static void check_ram(const struct draft *d, struct findings *f)
{
	char wanted[24], there[24];
	uint64_t bytes = 0;

	for (unsigned i = 0; i < d->n_memory; i++)
		bytes += d->memory[i].range.is_rom ? 0 : d->memory[i].range.bytes;
	for (unsigned i = 0; i < d->n_vdevs && !d->memory_is_wrong; i++) {
		const struct vdev *v = d->vdev[i].vdev;
		uint64_t asked = v && v->class->ram_asked ? v->class->ram_asked(v) : 0;

		if (!asked || asked < bytes || d->vdev[i].is_wrong)
			continue;
		finding_hint(finding_error(f, &d->vdev[i].at,
					   "`vdev %s` asks the guest for %s of its memory, and it "
					   "has %s",
					   v->class->name, str_bytes(asked, wanted),
					   str_bytes(bytes, there)),
			     "write a smaller `size`, or more `ram`");
	}
}

static void check_single(const struct draft *d, struct findings *f)
{
	char where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_vdevs; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct draft_vdev *v = &d->vdev[i], *o = &d->vdev[j];

			if (!v->vdev || !o->vdev || !v->vdev->class->is_single ||
			    v->vdev->class != o->vdev->class || v->is_wrong || o->is_wrong)
				continue;
			finding_hint(
				finding_warn(
					f, &v->at,
					"the guest has a `vdev %s` already, in %s, and drivers "
					"take only the first that they find",
					v->vdev->class->name,
					finding_where(f, &o->at, &v->at, where)),
				"remove one of the two");
			break;
		}
}

void demand_check(const struct draft *d, struct findings *f)
{
	check_pins(d, f);
	check_ram(d, f);
	check_single(d, f);
}
