/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/pvh.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/elf.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"

static int finish_pvh(struct image_guest *g, struct err *e)
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

static bool is_pvh(const struct image *x)
{
	AUTO_FREE struct elf *f = calloc(1, sizeof *f);
	uint64_t entry = 0;
	struct err ignored;

	if (!f)
		abort();
	return elf_is(x) && elf_read(x, f, &ignored) == 0 &&
	       elf_find_pvh(x, f, &entry, &ignored) == 0 && entry != 0;
}

static int load_pvh(struct image_guest *g, const struct image *x, struct err *e)
{
	AUTO_FREE struct elf *f = calloc(1, sizeof *f);
	uint64_t note;

	if (!f)
		abort();
	g->entry = (struct entry){.mode = ENTRY_PROTECTED};
	return elf_read(x, f, e) < 0 || elf_load(g, x, f, e) < 0 ||
			       elf_find_pvh(x, f, &note, e) < 0 ||
			       elf_find_entry(x, f, note, &g->entry.gpa, e) < 0
		       ? -1
		       : 0;
}

static const struct image_class pvh = {
	.name = "an ELF with a PVH note",
	.rank = IMAGE_RANK_NOTE,
	.is = is_pvh,
	.load = load_pvh,
	.finish = finish_pvh,
};

IMAGE_REGISTER(pvh);
