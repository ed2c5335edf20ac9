/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/pvh.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"

int pvh_finish(struct image_guest *g, struct err *e)
{
	AUTO_FREE struct map_entry *entry = calloc(map_most(g), sizeof *entry);
	size_t cmdline = strlen(g->cmdline) + 1, map;
	struct pvh_start_info s = {.magic = PVH_MAGIC,
				   .version = PVH_VERSION,
				   .rsdp = g->acpi_bytes ? g->acpi_gpa : 0};
	struct pvh_module module = {.gpa = g->initrd_gpa, .bytes = g->initrd_bytes};
	uint8_t *host;
	void *room;

	if (!entry)
		abort();
	s.n_memmap = map_make(g, entry);
	map = s.n_memmap * sizeof(struct pvh_memory);
	/* In one piece: start info, module, memory map, command line. */
	if (layout_take_boot(&g->layout, sizeof s + sizeof module + map + cmdline, "PVH start info",
			     &g->entry.rbx, &room, e) < 0)
		return -1;
	host = room;
	s.n_modules = g->initrd_bytes ? 1 : 0;
	s.modules = g->initrd_bytes ? g->entry.rbx + sizeof s : 0;
	s.memmap = g->entry.rbx + sizeof s + sizeof module;
	s.cmdline = s.memmap + map;
	memcpy(host, &s, sizeof s);
	memcpy(host + sizeof s, &module, sizeof module);
	for (unsigned i = 0; i < s.n_memmap; i++) {
		struct pvh_memory r = {entry[i].gpa, entry[i].bytes, entry[i].type, 0};

		memcpy(host + sizeof s + sizeof module + i * sizeof r, &r, sizeof r);
	}
	memcpy(host + sizeof s + sizeof module + map, g->cmdline, cmdline);
	return 0;
}
