/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/map.h"

#include "vmm/boot/image.h"
#include "vmm/machine/memory.h"

unsigned map_most(const struct image_guest *g)
{
	return g->layout.memory->n + 2;
}

unsigned map_make(const struct image_guest *g, struct map_entry *ret)
{
	const struct memory *m = g->layout.memory;
	unsigned n = 0;

	for (unsigned i = 0; i < m->n; i++) {
		const struct memory_range *r = &m->range[i];
		uint64_t at = r->gpa, end = r->gpa + r->bytes;

		if (g->acpi_bytes && g->acpi_gpa >= at && g->acpi_gpa < end) {
			if (g->acpi_gpa > at)
				ret[n++] = (struct map_entry){at, g->acpi_gpa - at, MAP_RAM};
			ret[n++] = (struct map_entry){g->acpi_gpa, g->acpi_bytes, MAP_ACPI};
			at = g->acpi_gpa + g->acpi_bytes;
		}
		if (at < end)
			ret[n++] = (struct map_entry){at, end - at,
						      r->is_rom ? MAP_RESERVED : MAP_RAM};
	}
	return n;
}
