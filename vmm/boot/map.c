/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/map.h"

#include <string.h>

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

/* RAM without a gap from gpa on, as far as boot parameters leave it to the guest; 0 = none. */
static uint64_t ram_from(const struct image_guest *g, uint64_t gpa)
{
	const struct memory_range *r = memory_range_of(g->layout.memory, gpa);
	uint64_t end = r ? r->gpa + r->bytes : 0, boot = g->layout.boot_gpa;

	if (!r || r->is_rom)
		return 0;
	if (boot > gpa && boot < end)
		end = boot;
	return end - gpa;
}

void map_leave_bios_data(const struct image_guest *g)
{
	enum { BASE_KIB = 0x413 };
	void *host = memory_at(g->layout.memory, BASE_KIB, 2);
	uint32_t lower, upper;

	map_kib(g, &lower, &upper);
	if (host && lower && layout_is_free(&g->layout, BASE_KIB, 2))
		memcpy(host, &(uint16_t){(uint16_t)lower}, 2);
}

void map_kib(const struct image_guest *g, uint32_t *ret_lower, uint32_t *ret_upper)
{
	const uint64_t conventional = 640 << 10, lower = ram_from(g, 0);
	uint64_t upper = ram_from(g, 1 << 20) >> 10;

	*ret_lower = (uint32_t)((lower < conventional ? lower : conventional) >> 10);
	*ret_upper = upper > UINT32_MAX ? UINT32_MAX : (uint32_t)upper;
}
