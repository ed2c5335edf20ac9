/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/map.h"

#include <linux/pci_regs.h>
#include <stdio.h>

#include "base/blackbox.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"
#include "vmm/machine/space.h"
#include "vmm/pci/function.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

static void draw_memory(struct blackbox_map *box, const struct memory *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct memory_range *r = &m->range[i];
		struct blackbox_place p = {.base = r->gpa,
					   .bytes = r->bytes,
					   .offset = (uint64_t)(r->host - m->base),
					   .vdev = -1,
					   .space = BLACKBOX_MEMORY,
					   .class = r->is_rom ? BLACKBOX_ROM : BLACKBOX_RAM,
					   .is_on = true};

		str_copy(p.name, sizeof p.name, space_kind_id(r->is_rom ? SPACE_ROM : SPACE_RAM));
		blackbox_place(box, &p);
	}
}

static void draw_region(struct blackbox_map *box, const struct space_region *r,
			enum blackbox_space space)
{
	static const uint8_t class[SPACE_KINDS] = {[SPACE_RAM] = BLACKBOX_RAM,
						   [SPACE_ROM] = BLACKBOX_ROM,
						   [SPACE_PASS] = BLACKBOX_PASS,
						   [SPACE_VDEV] = BLACKBOX_VDEV,
						   [SPACE_KERNEL] = BLACKBOX_KERNEL};
	struct blackbox_place p = {.base = r->base,
				   .bytes = r->last - r->base + 1,
				   .vdev = r->vdev ? (int32_t)r->vdev->index : -1,
				   .space = (uint8_t)space,
				   .class = class[r->kind],
				   .is_on = true};

	str_copy(p.name, sizeof p.name, r->name);
	blackbox_place(box, &p);
}

static void draw_space(struct blackbox_map *box, const struct space *s, enum blackbox_space space)
{
	for (unsigned i = 0; i < s->n_under; i++)
		draw_region(box, &s->under[i], space);
	for (unsigned i = 0; i < s->n; i++)
		if (s->region[i].kind != SPACE_RAM && s->region[i].kind != SPACE_ROM)
			draw_region(box, &s->region[i], space);
}

static struct blackbox_place of_vdev(const struct vdev *d, enum blackbox_space space, uint64_t base)
{
	struct blackbox_place p = {.base = base,
				   .bytes = 1,
				   .vdev = (int32_t)d->index,
				   .space = (uint8_t)space,
				   .class = BLACKBOX_VDEV,
				   .is_on = true};

	str_copy(p.name, sizeof p.name, d->name);
	return p;
}

static void draw_function(struct blackbox_map *box, const struct vdev *d)
{
	struct blackbox_place p = of_vdev(d, BLACKBOX_SLOT, (uint64_t)d->slot);

	unsigned pin = pci_function_get(d->pci, PCI_INTERRUPT_PIN, 1); /* 1 = INTA */

	blackbox_place(box, &p);
	if (pin) {
		p = of_vdev(d, BLACKBOX_LINE,
			    (uint64_t)pci_slot_line(pci_slot_device(d->slot), pin - 1));
		blackbox_place(box, &p);
	}
	for (unsigned n = 0; n < PCI_BARS; n++) {
		if (!d->pci->bar_bytes[n])
			continue;
		p = of_vdev(d, BLACKBOX_MEMORY, 0);
		p.bytes = d->pci->bar_bytes[n];
		p.bar = (uint8_t)(n + 1);
		d->pci->place[n] = blackbox_place(box, &p);
	}
	pci_function_tell_bars(d->pci);
}

static void draw_lines(struct blackbox_map *box, const struct vdev *d)
{
	const char *pic;
	int line = d->class->line ? d->class->line(d, 0, &pic) : d->intr;

	for (unsigned n = 1; line >= 0; n++) {
		struct blackbox_place p = of_vdev(d, BLACKBOX_LINE, (uint64_t)line);

		blackbox_place(box, &p);
		line = d->class->line ? d->class->line(d, n, &pic) : -1;
	}
}

/* They follow each other. */
static void draw_rows(struct blackbox_map *box, struct vdev *d)
{
	for (d->n_rows = 0; d->n_rows < d->class->n_rows; d->n_rows++) {
		struct blackbox_place p = {.vdev = (int32_t)d->index,
					   .space = BLACKBOX_MEMORY,
					   .class = BLACKBOX_PASS};
		struct blackbox_place *row = blackbox_place(box, &p);

		if (!row)
			return;
		if (d->n_rows == 0)
			d->row = row;
	}
}

void map_draw(struct blackbox_map *box, const struct board *b, const struct memory *memory,
	      const struct space *mem, const struct space *port)
{
	draw_memory(box, memory);
	draw_space(box, mem, BLACKBOX_MEMORY);
	draw_space(box, port, BLACKBOX_PORT);
	for (unsigned i = 0; i < b->n_vdevs; i++) {
		struct vdev *d = b->vdev[i];

		if (d->slot >= 0 && d->pci)
			draw_function(box, d);
		else
			draw_lines(box, d);
		draw_rows(box, d);
	}
}
