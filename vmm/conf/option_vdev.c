/* SPDX-License-Identifier: Apache-2.0 */
/* `vdev NAME` and the options that every class shares: loc intr name hostvector. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/unknown.h"
#include "vmm/conf/wiring.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/plugin.h"

/* An implicit vdev exists once: a further definition takes the place of the one before. */
static struct draft_vdev *earlier(struct parse *p, const struct vdev_class *class)
{
	if (!class->is_implicit)
		return NULL;
	for (unsigned i = 0; i < p->draft->n_vdevs; i++) {
		struct draft_vdev *v = &p->draft->vdev[i];

		if (v->vdev && v->vdev->class == class)
			return v;
	}
	return NULL;
}

void option_vdev(struct parse *p, const struct token *t)
{
	const struct vdev_class *class;
	struct draft_vdev *v;
	char name[VDEV_NAME];

	vdev_class_name(t[1].text, name);
	class = vdev_class_find(name);
	if (plugin_refusal(name))
		class = NULL; /* of two with one name, neither is meant for sure */
	p->is_blind = !class;
	if (!class)
		unknown_vdev(p, &t[1], name);
	v = class ? earlier(p, class) : NULL;
	if (v) {
		vdev_free(v->vdev);
		*v = (struct draft_vdev){.at = t[1].at};
	} else {
		v = draft_add_vdev(p->draft, p->findings, &t[1].at);
	}
	if (!v) {
		p->is_blind = true;
		return;
	}
	p->vdev = (unsigned)(v - p->draft->vdev);
	str_copy(v->name, sizeof v->name, name);
	if (class)
		v->vdev = vdev_new(class, t->at.line);
}

static unsigned regions_of(const struct vdev_class *class)
{
	unsigned n = 0;

	while (n < VDEV_REGIONS && class->region[n].bytes)
		n++;
	return n;
}

/* False with a finding when `place` cannot be where region n of the class goes. */
static bool fits(struct parse *p, const struct token *t, const struct vdev_class *class,
		 const struct place *place, uint64_t bytes)
{
	const struct mark *at = &t[1].at;

	if (place->is_pci) {
		finding_hint(
			finding_error(p->findings, at, "`vdev %s` is no PCI function", class->name),
			"give it a memory address or, as `io:PORT`, an I/O port");
		return false;
	}
	if (place->has_length) {
		finding_hint(
			finding_error(p->findings, at,
				      "a vdev's `loc` takes no length: `%s` has its own, %" PRIu64,
				      class->name, bytes),
			"write `loc %.*s`", (int)strcspn(t[1].text, ","), t[1].text);
		return false;
	}
	if (place->base > place_end(place->space) - bytes) {
		finding_hint(
			finding_error(p->findings, at,
				      "`%s` takes %" PRIu64
				      " %s: from there they end beyond the last one, 0x%" PRIx64,
				      class->name, bytes,
				      place->space == VDEV_IO ? "ports" : "bytes",
				      place_end(place->space) - 1),
			"move it down");
		return false;
	}
	return true;
}

static void warn_ambiguous(struct parse *p, const struct token *t, const struct place *place)
{
	const char *colon = strchr(t[1].text, ':');
	const char *digits = colon ? colon + 1 : t[1].text;
	int before = (int)(digits - t[1].text);

	finding_hint(finding_warn(p->findings, &t[1].at,
				  "the %s '%s' is read as hexadecimal, 0x%" PRIx64,
				  place->space == VDEV_IO ? "port" : "address", digits,
				  place->base),
		     "write `loc %.*s0x%s`, or 0d%s if it is decimal", before, t[1].text, digits,
		     digits);
}

/* `loc mem:` of a class that may also be off the bus. */
static void loc_off_bus(struct parse *p, const struct token *t, struct draft_vdev *v,
			const struct place *place)
{
	const struct vdev_class *class = v->vdev->class;

	if (!fits(p, t, class, place, class->mmio_bytes))
		return;
	if (place->base % sizeof(uint64_t)) {
		finding_hint(finding_error(p->findings, &t[1].at,
					   "the registers of `vdev %s` begin at a multiple of %zu",
					   class->name, sizeof(uint64_t)),
			     "write `loc mem:0x%" PRIx64 "`",
			     place->base & ~(uint64_t)(sizeof(uint64_t) - 1));
		return;
	}
	if (place->is_ambiguous)
		warn_ambiguous(p, t, place);
	v->vdev->slot = -1;
	v->vdev->region[0] = (struct vdev_region){VDEV_MEM, place->base, class->mmio_bytes};
	v->vdev->n_regions = 1;
	v->loc_at[0] = t[1].at;
	v->n_locs = 1;
}

static void loc_of_function(struct parse *p, const struct token *t, struct draft_vdev *v)
{
	struct place place;
	struct err e;

	if (place_parse(t[1].text, VDEV_MEM, &place, &e) < 0)
		finding_hint(
			finding_error(p->findings, &t[1].at, "%s", e.msg),
			"write `loc pci:0:1` or `loc pci:0:1.1`, or remove it: qvm finds a place");
	else if (!place.is_pci && place.space == VDEV_MEM && v->vdev->class->mmio_bytes)
		loc_off_bus(p, t, v, &place);
	else if (!place.is_pci)
		finding_hint(
			finding_error(p->findings, &t[1].at,
				      "`vdev %s` is a PCI function, which the guest places itself",
				      v->vdev->class->name),
			"write `loc pci:0:1`, or remove it: qvm finds a place");
	else if (pci_slot_device(place.slot) == 0)
		finding_hint(
			finding_error(p->findings, &t[1].at, "PCI device 0 is the host bridge"),
			"write `loc pci:0:1`: a device from 1 to 0x%x", PCI_DEVICES - 1);
	else {
		v->vdev->slot = place.slot;
		v->vdev->n_regions = 0;
		v->loc_at[0] = t[1].at;
		v->n_locs = 1;
	}
}

/* The first `loc` places the first region of the device, the second the second. A device of one
 * region takes the last. Where instances are parts of one device, each has what it names. */
void option_vdev_loc(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	const struct vdev_class *class = v->vdev->class;
	unsigned n = regions_of(class), at = n == 1 ? 0 : v->n_locs;
	struct place place;
	struct err e;

	if (class->is_pci) {
		loc_of_function(p, t, v);
		return;
	}
	if (n == 0) {
		finding_hint(finding_error(p->findings, &t->at,
					   "`vdev %s` answers at no address of its own",
					   class->name),
			     "remove this `loc`");
		return;
	}
	if (at == n) {
		finding_hint(finding_error(p->findings, &t->at,
					   "`vdev %s` has %u places, this is one more", class->name,
					   n),
			     "remove one `loc`");
		return;
	}
	if (place_parse(t[1].text, class->space, &place, &e) < 0) {
		finding_hint(finding_error(p->findings, &t[1].at, "%s", e.msg),
			     "write `loc %s`: a memory address, or `loc io:0x3f8`: an I/O port",
			     class->space == VDEV_IO ? "mem:0xf8000000" : "0xf8000000");
		return;
	}
	if (!fits(p, t, class, &place, class->region[at].bytes))
		return;
	if (place.is_ambiguous)
		warn_ambiguous(p, t, &place);
	v->vdev->region[at] =
		(struct vdev_region){place.space, place.base, class->region[at].bytes};
	v->loc_at[at] = t[1].at;
	v->n_locs = at + 1;
	if (class->is_in_parts)
		v->vdev->n_regions = v->n_locs;
}

/* The name of the controller that was defined last, or NULL. */
static const char *last_controller(const struct parse *p)
{
	for (unsigned i = p->vdev; i-- > 0;) {
		const struct vdev *d = p->draft->vdev[i].vdev;

		if (d && d->class->is_pic && strcmp(d->class->name, "apic") != 0)
			return d->name;
	}
	return NULL;
}

/* `intr 4` */
static void bare_line(struct parse *p, const struct token *t)
{
	const char *controller = last_controller(p);
	struct diagnostic *d = finding_error(p->findings, &t[1].at,
					     "'%.64s' names no interrupt controller", t[1].text);

	if (controller)
		finding_hint(d, "write `intr %s:%.64s`", controller, t[1].text);
	else
		finding_hint(d, "put `vdev ioapic` before this vdev and write `intr ioapic:%.64s`",
			     t[1].text);
}

void option_vdev_intr(struct parse *p, const struct token *t)
{
	const struct vdev_class *class = parse_vdev(p)->vdev->class;

	/* With `loc mem:` it may have one: wiring_check() knows whether that was given. */
	if (class->is_pci && !class->mmio_bytes)
		finding_hint(
			finding_error(p->findings, &t->at,
				      "the place of a PCI function decides which line it drives"),
			"remove this `intr`; the guest reads it from the ACPI tables");
	else
		parse_line(p, t);
}

void parse_line(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	const char *colon = strchr(t[1].text, ':');
	size_t n = colon ? (size_t)(colon - t[1].text) : strlen(t[1].text);
	uint64_t line = 0;
	struct mark at;
	struct err e;

	if (!colon && number_plain(t[1].text, n, &line, &e) == 0) {
		bare_line(p, t);
		v->is_wrong = true;
		return;
	}
	if (n == 0 || n >= VDEV_NAME) {
		finding_hint(finding_error(p->findings, &t[1].at,
					   "'%.64s' names no interrupt controller", t[1].text),
			     "write `intr ioapic:4`: its name, 1 to %d bytes, and a line",
			     VDEV_NAME - 1);
		return;
	}
	if (colon) {
		at = lex_mark(&t[1], n + 1, strlen(colon + 1));
		if (number_plain(colon + 1, strlen(colon + 1), &line, &e) < 0) {
			finding_hint(finding_error(p->findings, &at, "%s", e.msg),
				     "write `intr %.*s:4`: one line of the controller", (int)n,
				     t[1].text);
			return;
		}
		if (line >= WIRING_LINES) {
			finding_hint(finding_error(p->findings, &at,
						   "interrupt line %" PRIu64 " does not exist",
						   line),
				     "lines are from 0 to %d", WIRING_LINES - 1);
			return;
		}
	}
	v->intr_at = t[1].at;
	v->vdev->intr = colon ? (int)line : -1;
	snprintf(v->vdev->intr_pic, VDEV_NAME, "%.*s", (int)n, t[1].text);
}

void option_vdev_name(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	const char *name = t[1].text;

	if (!name[0] || strlen(name) >= VDEV_NAME || strpbrk(name, "/ \t") || name[0] == '.') {
		finding_hint(
			finding_error(p->findings, &t[1].at, "'%.64s' is no name for a vdev", name),
			"1 to %d bytes, without white space and `/`, no dot first", VDEV_NAME - 1);
		return;
	}
	if (v->vdev->class->is_pic && strchr(name, ':')) {
		finding_hint(finding_error(p->findings, &t[1].at,
					   "the name of an interrupt controller cannot hold `:`"),
			     "`intr NAME:LINE` of other vdevs could not name it; use - or _");
		return;
	}
	str_copy(v->vdev->name, VDEV_NAME, name);
	str_copy(v->name, VDEV_NAME, name);
	v->is_named = true;
}

void option_vdev_hostvector(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	uint64_t vector;
	struct err e;

	if (!v->vdev->class->is_pic)
		finding_hint(finding_error(p->findings, &t->at,
					   "`vdev %s` is no interrupt controller",
					   v->vdev->class->name),
			     "remove `hostvector`; it is an option of `vdev ioapic`");
	else if (number_plain(t[1].text, strlen(t[1].text), &vector, &e) < 0)
		finding_hint(finding_error(p->findings, &t[1].at, "%s", e.msg),
			     "write `hostvector 32`");
	else
		finding_hint(
			finding_warn(p->findings, &t->at,
				     "`hostvector` has no effect: it is for `pass intr`, which is "
				     "not in this release of qvm"),
			"remove it, or leave it for a later release");
}
