/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/slots.h"

#include <stdbool.h>

#include "vmm/conf/draft.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

static bool is_function(const struct draft_vdev *v)
{
	return v->vdev && vdev_is_function(v->vdev);
}

static void no_function_0(struct findings *f, const struct draft_vdev *v)
{
	unsigned device = pci_slot_device(v->vdev->slot);

	finding_hint(finding_error(f, &v->loc_at[0],
				   "device %u has nothing at function 0: no guest looks further",
				   device),
		     "add `vdev pci-dummy loc pci:0:%x`", device);
}

/* Those with a `loc`: one to a slot. */
static void place_given(struct draft *d, struct findings *f, struct draft_vdev **owner)
{
	char label[DRAFT_LABEL], where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_vdevs; i++) {
		struct draft_vdev *v = &d->vdev[i], *other;

		if (!is_function(v) || v->vdev->slot < 0)
			continue;
		other = owner[v->vdev->slot];
		if (!other) {
			owner[v->vdev->slot] = v;
			continue;
		}
		finding_hint(finding_error(f, &v->loc_at[0], "pci:0:%x.%u is taken by %s of %s",
					   pci_slot_device(v->vdev->slot),
					   pci_slot_function(v->vdev->slot),
					   draft_vdev_label(other, label),
					   finding_where(f, &other->at, &v->at, where)),
			     "give one of the two another place, or none: qvm finds one");
		v->is_wrong = true;
	}
	for (unsigned s = PCI_FUNCTIONS; s < PCI_SLOTS; s++)
		if (owner[s] && s % PCI_FUNCTIONS && !owner[s - s % PCI_FUNCTIONS])
			no_function_0(f, owner[s]);
}

/* A device that nobody has a part of. */
static bool is_free(const struct draft *d, struct draft_vdev *const *owner, unsigned device)
{
	for (unsigned n = 0; n < PCI_FUNCTIONS; n++)
		if (owner[device * PCI_FUNCTIONS + n])
			return false;
	for (unsigned i = 0; i < d->n_reserves; i++)
		if (d->reserve[i].place.is_pci &&
		    pci_slot_device(d->reserve[i].place.slot) == device)
			return false;
	return true;
}

void slots_assign(struct draft *d, struct findings *f)
{
	struct draft_vdev *owner[PCI_SLOTS] = {NULL};
	unsigned device = 1;

	place_given(d, f, owner);
	for (unsigned i = 0; i < d->n_vdevs; i++) {
		struct draft_vdev *v = &d->vdev[i];

		if (!is_function(v) || v->vdev->slot >= 0 || v->is_wrong)
			continue;
		while (device < PCI_DEVICES && !is_free(d, owner, device))
			device++;
		if (device == PCI_DEVICES) {
			finding_hint(finding_error(f, &v->at,
						   "no PCI device number is free: a bus has %d",
						   PCI_DEVICES),
				     "put several functions on one device with `loc pci:0:1.1`, or "
				     "remove a `reserve loc pci:`");
			return;
		}
		v->vdev->slot = (int)(device++ * PCI_FUNCTIONS);
		owner[v->vdev->slot] = v;
	}
}
