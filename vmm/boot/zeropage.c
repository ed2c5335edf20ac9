/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/zeropage.h"

#include <asm/bootparam.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"

enum { UNDEFINED_LOADER = 0xff, VGA_NORMAL = 0xffff };

static int write_e820(const struct image_guest *g, struct boot_params *p, struct err *e)
{
	AUTO_FREE struct map_entry *map = calloc(map_most(g), sizeof *map);
	unsigned n;

	if (!map)
		abort();
	n = map_make(g, map);
	if (n > E820_MAX_ENTRIES_ZEROPAGE)
		return err_set(e, START,
			       "the board has %u separate pieces of memory, Linux takes %d: "
			       "join some `ram` or `rom`",
			       n, E820_MAX_ENTRIES_ZEROPAGE);
	for (unsigned i = 0; i < n; i++)
		p->e820_table[i] = (struct boot_e820_entry){map[i].gpa, map[i].bytes, map[i].type};
	p->e820_entries = (uint8_t)n;
	return 0;
}

int zeropage_finish(struct image_guest *g, struct err *e)
{
	struct boot_params *p = (struct boot_params *)(void *)g->kernel_state;
	size_t cmdline = strlen(g->cmdline) + 1;
	void *room;

	if (write_e820(g, p, e) < 0 ||
	    layout_take_boot(&g->layout, sizeof *p + cmdline, "boot parameters", &g->entry.rsi,
			     &room, e) < 0)
		return -1;
	p->hdr.type_of_loader = UNDEFINED_LOADER;
	p->hdr.vid_mode = VGA_NORMAL;
	p->hdr.cmd_line_ptr = (uint32_t)(g->entry.rsi + sizeof *p);
	p->acpi_rsdp_addr = g->acpi_bytes ? g->acpi_gpa : 0; /* protocol 2.14; older ones search */
	p->hdr.ramdisk_image = (uint32_t)g->initrd_gpa;
	p->hdr.ramdisk_size = (uint32_t)g->initrd_bytes;
	p->ext_ramdisk_image = (uint32_t)(g->initrd_gpa >> 32);
	p->ext_ramdisk_size = (uint32_t)(g->initrd_bytes >> 32);
	memcpy(room, p, sizeof *p);
	memcpy((uint8_t *)room + sizeof *p, g->cmdline, cmdline);
	return 0;
}
