/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage.c - Linux kernels by the 32-bit boot protocol (Documentation/arch/x86/boot.rst, "THE REAL-
 * MODE KERNEL HEADER" and "32-BIT BOOT PROTOCOL"): the setup header is copied into boot_params, the
 * protected-mode part loaded and entered with ESI = boot_params.
 */
#include <asm/bootparam.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"

enum {
	SECTOR = 512,
	HEADER_AT = offsetof(struct boot_params, hdr), /* 0x1f1, in the file too */
	BOOT_FLAG = 0xaa55,
	PROTOCOL_2_10 = 0x020a, /* Linux 2.6.31: pref_address and init_size */
	DEFAULT_SETUP_SECTS = 4,
	LOAD_HIGH = 0x100000,
	UNDEFINED_LOADER = 0xff,
	VGA_NORMAL = 0xffff,
};
#define FOUR_GIB (UINT64_C(1) << 32)

_Static_assert(HEADER_AT == 0x1f1 && sizeof(struct boot_params) == 4096, "Linux's contract");

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static bool is_bzimage(const uint8_t *head, size_t n)
{
	const size_t magic = HEADER_AT + offsetof(struct setup_header, header);

	return n >= HEADER_AT + sizeof(struct setup_header) && memcmp(head, "\177ELF", 4) != 0 &&
	       u16(head + HEADER_AT + offsetof(struct setup_header, boot_flag)) == BOOT_FLAG &&
	       !memcmp(head + magic, "HdrS", 4);
}

/* The header of this file, no more of it than the file says (its length is a jump's target). */
static int read_header(const struct image *x, struct setup_header *h, struct err *e)
{
	const uint8_t *jump = x->head + HEADER_AT + offsetof(struct setup_header, jump);
	size_t end = 0x202 + (size_t)jump[1], bytes;

	bytes = end > HEADER_AT + sizeof *h ? sizeof *h : end - HEADER_AT;
	memset(h, 0, sizeof *h);
	memcpy(h, x->head + HEADER_AT, bytes);
	if (h->version < PROTOCOL_2_10)
		return err_set(e, START,
			       "cannot boot '%s': it speaks Linux boot protocol %u.%02u, older "
			       "than 2.10 (Linux 2.6.31)",
			       x->path, h->version >> 8, h->version & 0xffu);
	if (!(h->loadflags & LOADED_HIGH))
		return err_set(e, START,
			       "cannot boot '%s': it is a zImage that loads below 1 MiB; "
			       "build a bzImage",
			       x->path);
	return 0;
}

/*
 * Where the kernel lies, and how far it reaches while it unpacks itself ("init_size", runtime_start).
 * A relocatable one is put at once where it wants to run.
 */
static int place(struct image_guest *g, const struct image *x, const struct setup_header *h,
		 uint64_t payload, uint64_t *ret_gpa, void **ret_host, struct err *e)
{
	uint64_t load = h->relocatable_kernel ? h->pref_address : LOAD_HIGH;
	uint64_t end = load + payload, run_end = h->pref_address + h->init_size;

	if (h->pref_address >= FOUR_GIB || payload >= FOUR_GIB || end > FOUR_GIB ||
	    run_end > FOUR_GIB)
		return err_set(e, START,
			       "cannot boot '%s': it wants to run at 0x%" PRIx64 ", beyond "
			       "the 4 GiB of the 32-bit boot protocol",
			       x->path, (uint64_t)h->pref_address);
	if (run_end > end)
		end = run_end;
	*ret_gpa = load;
	return layout_take(&g->layout, load, end - load, x->path, ret_host, e);
}

static int load_bzimage(struct image_guest *g, const struct image *x, struct err *e)
{
	AUTO_FREE struct boot_params *p = calloc(1, sizeof *p);
	uint64_t setup, gpa = 0;
	void *host = NULL;

	if (!p)
		abort();
	if (read_header(x, &p->hdr, e) < 0)
		return -1;
	setup = ((p->hdr.setup_sects ? p->hdr.setup_sects : DEFAULT_SETUP_SECTS) + UINT64_C(1)) *
		SECTOR;
	if (setup >= x->bytes)
		return err_set(e, START,
			       "cannot boot '%s': it ends within its setup code; it is "
			       "damaged, copy it again",
			       x->path);
	if (place(g, x, &p->hdr, x->bytes - setup, &gpa, &host, e) < 0 ||
	    image_read(x, setup, x->bytes - setup, host, e) < 0)
		return -1;
	if (strlen(g->cmdline) > p->hdr.cmdline_size)
		return err_set(e, START,
			       "cannot boot '%s': the `cmdline` has %zu characters, it takes "
			       "%u",
			       x->path, strlen(g->cmdline), p->hdr.cmdline_size);
	p->hdr.code32_start = (uint32_t)gpa;
	/* initrd_addr_max is the highest address of the last byte. */
	if (p->hdr.initrd_addr_max + UINT64_C(1) < g->initrd_below)
		g->initrd_below = p->hdr.initrd_addr_max + UINT64_C(1);
	g->entry = (struct entry){.mode = ENTRY_PROTECTED, .gpa = gpa};
	g->kernel_state = (uint8_t *)TAKE(p);
	return 0;
}

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

static int finish_bzimage(struct image_guest *g, struct err *e)
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
	memcpy(room, p, sizeof *p);
	memcpy((uint8_t *)room + sizeof *p, g->cmdline, cmdline);
	return 0;
}

static const struct image_class bzimage = {
	.name = "a Linux bzImage",
	.is = is_bzimage,
	.load = load_bzimage,
	.finish = finish_bzimage,
};

IMAGE_REGISTER(bzimage);
