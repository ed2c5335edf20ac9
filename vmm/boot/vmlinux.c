/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmlinux.c - ELF executables that name no boot protocol. ELF64 is entered by Linux's 64-bit boot
 * protocol (Documentation/arch/x86/boot.rst): long mode, the first 4 GiB mapped to themselves, RSI =
 * boot_params, which a program that is no Linux need not look at. ELF32 is entered in flat 32-bit mode
 * and told nothing.
 */
#include <asm/bootparam.h>
#include <stdlib.h>

#include "base/auto.h"
#include "vmm/boot/elf.h"
#include "vmm/boot/image.h"
#include "vmm/boot/zeropage.h"

enum { BOOT_FLAG = 0xaa55, MAGIC = 0x53726448 /* "HdrS" */, PROTOCOL = 0x020f };

/* What the setup header of the bzImage around it would say. */
static uint8_t *make_params(void)
{
	struct boot_params *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->hdr.boot_flag = BOOT_FLAG;
	p->hdr.header = MAGIC;
	p->hdr.version = PROTOCOL;
	p->hdr.loadflags = LOADED_HIGH;
	return (uint8_t *)p;
}

static int load_vmlinux(struct image_guest *g, const struct image *x, struct err *e)
{
	AUTO_FREE struct elf *f = calloc(1, sizeof *f);
	uint64_t pvh;

	if (!f)
		abort();
	/* Notes that cannot be read are an error here: in them may stand how it wants to be entered. */
	if (elf_read(x, f, e) < 0 || elf_find_pvh(x, f, &pvh, e) < 0 || elf_load(g, x, f, e) < 0 ||
	    elf_find_entry(x, f, f->head.e_entry, &g->entry.gpa, e) < 0)
		return -1;
	g->entry.mode = f->is_64 ? ENTRY_LONG : ENTRY_PROTECTED;
	if (f->is_64)
		g->kernel_state = make_params();
	else
		g->kernel = NULL; /* nobody would find command line and ramdisk */
	return 0;
}

static const struct image_class vmlinux = {
	.name = "ELF",
	.rank = IMAGE_RANK_FORMAT,
	.is = elf_is,
	.load = load_vmlinux,
	.finish = zeropage_finish,
};

IMAGE_REGISTER(vmlinux);
