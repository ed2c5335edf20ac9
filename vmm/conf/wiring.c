/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/wiring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schemas/message.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/path.h"
#include "vmm/conf/suggest.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

/* The local APIC has no lines: it is named alone. */
static bool is_lapic(const struct draft_vdev *v)
{
	return v->vdev && !strcmp(v->vdev->class->name, "apic");
}

static const char *name_of(const struct draft_vdev *v)
{
	return v->vdev ? v->vdev->name : v->name;
}

static bool is_before(const struct draft_vdev *a, const struct draft_vdev *b)
{
	return a->at.line == 0 || a->at.order < b->at.order;
}

/* A line of a controller, as an option of a vdev names it. */
struct wire {
	const char *pic;
	int line; /* -1 = named without one */
	const struct mark *at;
};

static void no_controller(const struct draft *d, struct findings *f, const struct draft_vdev *v,
			  const struct wire *w)
{
	struct suggestion s = {.word = w->pic};
	const char *any = NULL;
	struct diagnostic *g;

	if (d->vdevs_are_wrong)
		return;
	for (unsigned i = 0; i < d->n_vdevs; i++) {
		const struct draft_vdev *c = &d->vdev[i];

		if (!c->vdev || !c->vdev->class->is_pic || is_lapic(c) || !is_before(c, v))
			continue;
		suggest_consider(&s, c->vdev->name);
		any = c->vdev->name;
	}
	g = finding_error(f, w->at, "no interrupt controller is named '%s'", w->pic);
	if (s.best)
		finding_hint(g, "did you mean `intr %s:%d`?", s.best, w->line);
	else if (any)
		finding_hint(g, "there is `%s`: write `intr %s:%d`", any, any, w->line);
	else
		finding_hint(g, "put the controller before this vdev: `vdev ioapic name %s`",
			     w->pic);
}

/* The vdev that `intr` names: defined before, and an interrupt controller. */
static void check_controller(const struct draft *d, struct findings *f, struct draft_vdev *v,
			     const struct wire *w)
{
	const struct draft_vdev *found = NULL;
	char where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_vdevs; i++) {
		const struct draft_vdev *c = &d->vdev[i];

		if (c == v || strcmp(name_of(c), w->pic) != 0)
			continue;
		if (!found || is_before(c, v))
			found = c;
		if (is_before(c, v))
			break;
	}
	if (found && !found->vdev)
		return; /* it was refused, that is enough */
	if (!found) {
		no_controller(d, f, v, w);
	} else if (!found->vdev->class->is_pic && !is_lapic(found)) {
		finding_hint(
			finding_error(f, w->at, "'%s' of %s is a `%s`, no interrupt controller",
				      found->vdev->name, finding_where(f, &found->at, w->at, where),
				      found->vdev->class->name),
			"name a `vdev ioapic` or `vdev 8259`");
	} else if (!is_before(found, v)) {
		finding_hint(finding_error(f, w->at,
					   "interrupt controller '%s' is defined only later, in %s",
					   found->vdev->name,
					   finding_where(f, &found->at, w->at, where)),
			     "move that `vdev %s` with its options before this vdev",
			     found->vdev->class->name);
	} else if (is_lapic(found) != (w->line < 0)) {
		finding_hint(finding_error(f, w->at,
					   is_lapic(found) ? "the local APIC '%s' has no lines"
							   : "'%s' is named without a line",
					   found->vdev->name),
			     is_lapic(found) ? "write `intr apic`, or name a line of an ioapic"
					     : "write `intr PIC:LINE`, like `intr ioapic:4`");
	} else {
		return;
	}
	v->is_wrong = true;
}

/* `intr apic` holds where nobody has touched the local APIC's name. */
static bool names_lapic(const struct draft_vdev *v)
{
	return v->vdev->intr < 0 && !strcmp(v->vdev->intr_pic, "apic");
}

/* The lines that its own options name, until one is wrong. */
static void check_own_lines(const struct draft *d, struct findings *f, struct draft_vdev *v)
{
	struct wire w = {.at = &v->at};

	for (unsigned n = 0;
	     !v->is_wrong && (w.line = v->vdev->class->line(v->vdev, n, &w.pic)) >= 0; n++)
		if (w.pic)
			check_controller(d, f, v, &w);
}

static void check_intr(const struct draft *d, struct findings *f, struct draft_vdev *v)
{
	char label[DRAFT_LABEL];

	if (v->vdev->class->line) {
		check_own_lines(d, f, v);
		return;
	}
	if (v->intr_at.line && vdev_is_function(v->vdev)) {
		finding_hint(
			finding_error(f, &v->intr_at,
				      "the place of a PCI function decides which line it drives"),
			"remove this `intr`, or add `loc mem:ADDRESS` to take it off the bus");
		v->is_wrong = true;
		return;
	}
	if (v->intr_at.line == 0) {
		bool needs_one = v->vdev->class->needs_intr ||
				 (v->vdev->class->is_pci && !vdev_is_function(v->vdev));

		if (!needs_one || v->vdev->class->intr >= 0)
			return;
		finding_hint(finding_error(f, &v->at, "%s needs an interrupt line",
					   draft_vdev_label(v, label)),
			     "add `intr PIC:LINE`, like `intr ioapic:4`");
		v->is_wrong = true;
		return;
	}
	if (!names_lapic(v))
		check_controller(d, f, v,
				 &(struct wire){v->vdev->intr_pic, v->vdev->intr, &v->intr_at});
}

static void check_loc(struct findings *f, struct draft_vdev *v)
{
	const struct vdev_class *class = v->vdev->class;
	char label[DRAFT_LABEL];

	if (!class->needs_loc || v->n_locs || (class->region[0].bytes && class->region[0].base))
		return;
	finding_hint(finding_error(f, &v->at, "%s needs a place on the board",
				   draft_vdev_label(v, label)),
		     "add `loc %s`", class->space == VDEV_IO ? "io:PORT" : "ADDRESS");
	v->is_wrong = true;
}

/* A line that nobody drives; from 3 on, the lower ones belong to timer, keyboard and cascade of a
 * PC. -1 when all are taken. */
static int free_line(const struct draft_vdev *const owner[static WIRING_LINES])
{
	for (int l = 3; l < WIRING_LINES; l++)
		if (!owner[l])
			return l;
	return -1;
}

/* Two want the same: the one that the configuration names, and later, is marked. */
static void order(const struct draft_vdev **at, const struct draft_vdev **other)
{
	const struct draft_vdev *swap = *at;

	if (is_before(*other, *at))
		return;
	*at = *other;
	*other = swap;
}

/* The n-th line that it drives; -1 = there are no more. */
static int line_of(const struct draft_vdev *v, unsigned n)
{
	const char *pic;
	int line = -1;

	if (!v->vdev || v->is_wrong)
		return -1;
	if (v->vdev->class->line)
		line = v->vdev->class->line(v->vdev, n, &pic);
	else if (n == 0)
		line = v->vdev->intr;
	/* a class's own default is bounded too: the table of owners is */
	return line < WIRING_LINES ? line : -1;
}

/* An hpet takes over from those that it replaces when the guest says so (IA-PC HPET 1.0a, 2.3.5). */
static bool may_share(const struct draft_vdev *a, const struct draft_vdev *b)
{
	return (a->vdev->class->line && b->vdev->class->is_legacy_timer) ||
	       (b->vdev->class->line && a->vdev->class->is_legacy_timer);
}

/* The host bridge has four for those on its bus. */
static void own_pci_lines(const struct draft *d,
			  const struct draft_vdev *owner[static WIRING_LINES])
{
	for (unsigned i = 0; i < d->n_vdevs; i++)
		for (int l = 0; d->vdev[i].vdev && d->vdev[i].vdev->class->route && l < PCI_LINES;
		     l++)
			owner[PCI_FIRST_LINE + l] = &d->vdev[i];
}

static void line_is_taken(struct findings *f, const struct draft_vdev *v, int line,
			  const struct draft_vdev *const owner[static WIRING_LINES])
{
	const struct draft_vdev *o = owner[line];
	char label[DRAFT_LABEL], where[FINDING_WHERE];
	struct diagnostic *g;

	order(&v, &o);
	g = finding_error(f, v->intr_at.line ? &v->intr_at : &v->at,
			  "interrupt line %d is taken by %s of %s", line,
			  draft_vdev_label(o, label), finding_where(f, &o->at, &v->at, where));
	if (free_line(owner) >= 0)
		finding_hint(g, "give one of the two another line: %d is free", free_line(owner));
	else
		finding_hint(g, "all %d lines are taken: remove a vdev", WIRING_LINES);
}

/* Lines are those of one irqchip, whatever controller they are named by: line 4 of the ioapic is
 * line 4 of the 8259. */
static void check_lines(const struct draft *d, struct findings *f)
{
	const struct draft_vdev *owner[WIRING_LINES] = {NULL};
	int line;

	own_pci_lines(d, owner);
	for (unsigned i = 0; i < d->n_vdevs; i++)
		for (unsigned n = 0; (line = line_of(&d->vdev[i], n)) >= 0; n++)
			if (!owner[line])
				owner[line] = &d->vdev[i];
	for (unsigned i = 0; i < d->n_vdevs; i++) {
		const struct draft_vdev *v = &d->vdev[i];

		for (unsigned n = 0; (line = line_of(v, n)) >= 0; n++)
			if (owner[line] != v && !may_share(owner[line], v))
				line_is_taken(f, v, line, owner);
	}
}

static bool is_at(const struct draft_vdev *v, uint64_t base)
{
	for (unsigned r = 0; r < v->vdev->n_regions; r++)
		if (v->vdev->region[r].base == base)
			return true;
	return v->is_wrong; /* where it was meant to be is not known */
}

/* The part of v's class that belongs at `base` is on the board, whichever instance is there; v is the
 * first of them. */
static bool has_part(const struct draft *d, const struct draft_vdev *v, uint64_t base)
{
	const struct vdev_class *class = v->vdev->class;

	for (; v < d->vdev + d->n_vdevs; v++)
		if (v->vdev && v->vdev->class == class && is_at(v, base))
			return true;
	return false;
}

/* What comes in parts comes as a whole: the host makes all of it. */
static void check_parts(const struct draft *d, struct findings *f)
{
	const struct vdev_class *done = NULL;

	for (const struct draft_vdev *v = d->vdev; v < d->vdev + d->n_vdevs; v++) {
		const struct vdev_class *class = v->vdev ? v->vdev->class : NULL;

		if (!class || !class->is_in_parts || class == done)
			continue;
		done = class;
		for (unsigned r = 0; r < VDEV_REGIONS && class->region[r].bytes; r++)
			if (!has_part(d, v, class->region[r].base))
				finding_hint(finding_error(f, &v->at,
							   "the part of `%s` at 0x%" PRIx64
							   " is missing",
							   class->name, class->region[r].base),
					     "add `vdev %s loc 0x%" PRIx64
					     "`, or leave out every `loc` of it",
					     class->name, class->region[r].base);
	}
}

/* Names that somebody gave, and those of controllers, which `intr` refers to, are unique. Parts of
 * one controller share its name. */
static bool is_unique(const struct draft_vdev *v)
{
	return v->is_named || (v->vdev->class->is_pic && !v->vdev->class->is_in_parts);
}

static void check_names(const struct draft *d, struct findings *f)
{
	char where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_vdevs; i++) {
		for (unsigned j = 0; j < i; j++) {
			const struct draft_vdev *v = &d->vdev[i], *o = &d->vdev[j];

			if (!v->vdev || !o->vdev || strcmp(v->vdev->name, o->vdev->name) != 0 ||
			    (!is_unique(v) && !is_unique(o)))
				continue;
			order(&v, &o);
			finding_hint(finding_error(f, &v->at,
						   "the name '%s' is taken by `vdev %s` of %s",
						   v->vdev->name, o->vdev->class->name,
						   finding_where(f, &o->at, &v->at, where)),
				     "give one of the two another `name`");
			break;
		}
	}
}

/* The options of one vdev as a whole, by its class. */
static void complete(struct draft *d, const struct conf_source *s, struct findings *f,
		     struct draft_vdev *v)
{
	struct vdev *vdev = v->vdev;
	struct err e = {0};

	if (vdev->class->check && vdev->class->check(vdev, &e) < 0) {
		finding_hint(finding_error(f, &v->at, "%s", e.msg),
			     "`qvm help %s` shows the options of this vdev", vdev->class->name);
		v->is_wrong = true;
		return;
	}
	for (unsigned w = 0; w < vdev->n_wants && !d->path_base_is_cwd && v->at.line; w++)
		if (vdev->want[w].kind != WANT_COMMAND)
			path_resolve(vdev->want[w].path, sizeof vdev->want[w].path,
				     s->part[v->at.part].folder, f, &v->at);
}

void wiring_check(struct draft *d, const struct conf_source *s, struct findings *f)
{
	unsigned wants = WANT_IMAGE + d->n_loads; /* KVM, RAM and the black box come first */

	for (unsigned i = 0; i < d->n_vdevs; i++) {
		struct draft_vdev *v = &d->vdev[i];

		if (!v->vdev || v->is_wrong)
			continue;
		check_loc(f, v);
		check_intr(d, f, v);
		if (!v->is_wrong)
			complete(d, s, f, v);
		wants += v->vdev->n_wants;
	}
	check_parts(d, f);
	check_lines(d, f);
	check_names(d, f);
	if (wants > MESSAGE_WANTS_MAX)
		finding_hint(finding_error(f, NULL,
					   "the VM wants %u files of the host; it may want %d",
					   wants, MESSAGE_WANTS_MAX),
			     "load fewer files, or give fewer vdevs a file of their own");
}
