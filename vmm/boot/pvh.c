/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/pvh.h"

#include <string.h>

#include "vmm/boot/image.h"
#include "vmm/memory.h"

int pvh_finish(struct image_guest *g, struct err *e)
{
	const struct memory *m = g->layout.memory;
	size_t cmdline = strlen(g->cmdline) + 1;
	size_t map = m->n * sizeof(struct pvh_memory);
	struct pvh_start_info s = {.magic = PVH_MAGIC, .version = PVH_VERSION, .n_memmap = m->n};
	struct pvh_module module = {.gpa = g->initrd_gpa, .bytes = g->initrd_bytes};
	uint8_t *host;
	void *room;

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
	for (unsigned i = 0; i < m->n; i++) {
		struct pvh_memory r = {.gpa = m->range[i].gpa,
				       .bytes = m->range[i].bytes,
				       .type = m->range[i].is_rom ? 2 : 1};

		memcpy(host + sizeof s + sizeof module + i * sizeof r, &r, sizeof r);
	}
	memcpy(host + sizeof s + sizeof module + map, g->cmdline, cmdline);
	return 0;
}
