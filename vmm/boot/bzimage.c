/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage.c - Linux kernels by the boot protocol of Documentation/arch/x86/boot.rst: the setup header is
 * copied into boot_params, the protected-mode part loaded and entered with RSI = boot_params; a kernel
 * that has the 64-bit entry there ("64-BIT BOOT PROTOCOL"), the others as "32-BIT BOOT PROTOCOL".
 */
#include <asm/bootparam.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/zeropage.h"

enum {
	SECTOR = 512,
	HEADER_AT = offsetof(struct boot_params, hdr), /* 0x1f1, in the file too */
	BOOT_FLAG = 0xaa55,
	PROTOCOL_2_10 = 0x020a, /* Linux 2.6.31: pref_address and init_size */
	DEFAULT_SETUP_SECTS = 4,
	LOAD_HIGH = 0x100000,
	ENTRY_64 = 0x200, /* 64-bit entry, from the start of the protected-mode part */
};
#define FOUR_GIB (UINT64_C(1) << 32)

_Static_assert(HEADER_AT == 0x1f1 && sizeof(struct boot_params) == 4096, "Linux's contract");

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static bool is_bzimage(const struct image *x)
{
	const uint8_t *head = x->head;
	const size_t magic = HEADER_AT + offsetof(struct setup_header, header);

	return x->n_head >= HEADER_AT + sizeof(struct setup_header) &&
	       memcmp(head, "\177ELF", 4) != 0 &&
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
	if (setup + (p->hdr.xloadflags & XLF_KERNEL_64 ? ENTRY_64 : 0) >= x->bytes)
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
	/* Such a kernel finds a ramdisk beyond 4 GiB too, if there is no room below. */
	g->initrd_may_be_high = (p->hdr.xloadflags & XLF_KERNEL_64) &&
				(p->hdr.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G);
	g->entry = p->hdr.xloadflags & XLF_KERNEL_64
			   ? (struct entry){.mode = ENTRY_LONG, .gpa = gpa + ENTRY_64}
			   : (struct entry){.mode = ENTRY_PROTECTED, .gpa = gpa};
	g->kernel_state = (uint8_t *)TAKE(p);
	return 0;
}

static const struct image_class bzimage = {
	.name = "a Linux bzImage",
	.rank = IMAGE_RANK_FORMAT,
	.is = is_bzimage,
	.load = load_bzimage,
	.finish = zeropage_finish,
};

IMAGE_REGISTER(bzimage);
