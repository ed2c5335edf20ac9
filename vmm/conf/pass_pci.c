/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/pass_pci.h"

#include <stdio.h>
#include <string.h>

#include "base/vfio.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/place.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/pass.h"
#include "vmm/vfio/vfio.h"

#define FORM "write `loc pci:0:4=pci:0000:00:04.0`: its place in the guest, the host's function"

enum { NAME = 16, DOMAIN_MOST = 0xffff, BUS_MOST = 0xff };

/* A number of the host's function, up to `to`; false if it is none or over `most`. */
static bool field(const char **from, char to, uint64_t most, unsigned *ret)
{
	const char *end = to ? strchr(*from, to) : *from + strlen(*from);
	struct err ignored;
	uint64_t n;

	if (!end || number_address(*from, (size_t)(end - *from), &n, &ignored) < 0 || n > most)
		return false;
	*ret = (unsigned)n;
	*from = to ? end + 1 : end;
	return true;
}

/* [DOMAIN:]BUS:DEVICE.FUNCTION, hexadecimal; written as the host's kernel does. */
static bool host_name(const char *s, char ret[static NAME])
{
	unsigned domain = 0, bus, device, function;
	const char *colon = strchr(s, ':');

	if (colon && strchr(colon + 1, ':') && !field(&s, ':', DOMAIN_MOST, &domain))
		return false;
	if (!field(&s, ':', BUS_MOST, &bus) || !field(&s, '.', PCI_DEVICES - 1, &device) ||
	    !field(&s, '\0', PCI_FUNCTIONS - 1, &function))
		return false;
	snprintf(ret, NAME, "%04x:%02x:%02x.%x", domain & DOMAIN_MOST, bus & BUS_MOST,
		 device & (PCI_DEVICES - 1), function & (PCI_FUNCTIONS - 1));
	return true;
}

/* The guest's place, left of `=`; false with a finding. */
static bool guest_slot(struct parse *p, const struct token *t, size_t n, int *ret)
{
	struct mark at = lex_mark(t, 0, n);
	struct place place;
	char text[40];
	struct err e;

	snprintf(text, sizeof text, "%.*s", (int)n, t->text);
	if (place_parse(text, VDEV_MEM, &place, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), FORM);
		return false;
	}
	if (pci_slot_device(place.slot) == 0) {
		finding_hint(finding_error(p->findings, &at, "PCI device 0 is the host bridge"),
			     "a device from 1 to 0x%x is the guest's to have", PCI_DEVICES - 1);
		return false;
	}
	*ret = place.slot;
	return true;
}

/* One `pass` is one function: the vdev that stands for it becomes one of another class. */
void pass_pci_loc(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	const char *equals = strchr(t[1].text, '=');
	char name[NAME];
	struct mark at;
	struct err e;
	int slot;

	if (!equals || strncmp(equals + 1, "pci:", 4) != 0) {
		finding_hint(
			finding_error(p->findings, &t[1].at,
				      "which PCI function of the host is meant is not said; vendor "
				      "and device, or one place for both, are not taken"),
			FORM);
		return;
	}
	at = lex_mark(&t[1], (size_t)(equals + 1 - t[1].text), strlen(equals + 1));
	if (!guest_slot(p, &t[1], (size_t)(equals - t[1].text), &slot))
		return;
	if (!host_name(equals + 5, name)) {
		finding_hint(finding_error(p->findings, &at,
					   "'%.40s' names no PCI function of the host", equals + 1),
			     "write it as `lspci -D` does, behind pci: - pci:0000:00:04.0");
		return;
	}
	if (v->n_locs || v->vdev->n_wants) {
		finding_hint(finding_error(p->findings, &t->at,
					   "a PCI function takes a `pass` of its own"),
			     "begin another `pass`");
		return;
	}
	vdev_free(v->vdev);
	v->vdev = vdev_new(&vfio_class, v->at.line);
	v->vdev->slot = slot;
	v->loc_at[v->n_locs++] = t[1].at;
	if (vfio_give(v->vdev, name, &e) < 0)
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), FORM);
}
