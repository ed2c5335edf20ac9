/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.c - ELF executables for x86, by System V's gABI chapters 4 and 5. Three ways in:
 * a Xen PVH note (Xen, docs/misc/pvh.pandoc): 32-bit, the boot protocol of pvh.c; else ELF32: flat
 * 32-bit; else ELF64: 64-bit with the first 4 GiB mapped to themselves.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/pvh.h"

enum { MOST_SEGMENTS = 128, MOST_NOTES = 64 * 1024, XEN_ELFNOTE_PHYS32_ENTRY = 18 };

#define FOUR_GIB (UINT64_C(1) << 32)

/* The header and segments of either class, in 64-bit form. */
struct file {
	Elf64_Ehdr head;
	Elf64_Phdr segment[MOST_SEGMENTS];
	unsigned n;
	bool is_64;
};

static bool is_elf(const uint8_t *head, size_t n)
{
	return n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static void widen_head(const Elf32_Ehdr *from, Elf64_Ehdr *to)
{
	memcpy(to->e_ident, from->e_ident, EI_NIDENT);
	to->e_type = from->e_type;
	to->e_machine = from->e_machine;
	to->e_version = from->e_version;
	to->e_entry = from->e_entry;
	to->e_phoff = from->e_phoff;
	to->e_phentsize = from->e_phentsize;
	to->e_phnum = from->e_phnum;
}

static int read_head(const struct image *x, struct file *f, struct err *e)
{
	Elf32_Ehdr narrow;
	const char *why = NULL;

	f->is_64 = x->n_head > EI_CLASS && x->head[EI_CLASS] == ELFCLASS64;
	if (x->n_head < (f->is_64 ? sizeof f->head : sizeof narrow))
		return err_set(e, START, "'%s' is cut off within its ELF header: copy it again",
			       x->path);
	if (f->is_64) {
		memcpy(&f->head, x->head, sizeof f->head);
	} else {
		memcpy(&narrow, x->head, sizeof narrow);
		widen_head(&narrow, &f->head);
	}
	if ((f->head.e_ident[EI_CLASS] != ELFCLASS64 && f->head.e_ident[EI_CLASS] != ELFCLASS32) ||
	    f->head.e_ident[EI_DATA] != ELFDATA2LSB || f->head.e_ident[EI_VERSION] != EV_CURRENT)
		why = "it is not little-endian ELF of version 1";
	else if (f->head.e_machine != (f->is_64 ? EM_X86_64 : EM_386))
		why = "it is not for x86: build it for i386 or x86-64";
	else if (f->head.e_type != ET_EXEC)
		why = "it is not an executable at a fixed address: link it with -static -no-pie";
	else if (f->head.e_phnum == 0 || f->head.e_phnum > MOST_SEGMENTS)
		why = "it must have 1 to 128 program headers";
	else if (f->head.e_phentsize != (f->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		why = "its program headers have an unknown size";
	return why ? err_set(e, START, "cannot boot '%s': %s", x->path, why) : 0;
}

static int read_segments(const struct image *x, struct file *f, struct err *e)
{
	Elf32_Phdr narrow[MOST_SEGMENTS];

	f->n = f->head.e_phnum;
	if (f->is_64)
		return image_read(x, f->head.e_phoff, f->n * sizeof f->segment[0], f->segment, e);
	if (image_read(x, f->head.e_phoff, f->n * sizeof narrow[0], narrow, e) < 0)
		return -1;
	for (unsigned i = 0; i < f->n; i++)
		f->segment[i] = (Elf64_Phdr){.p_type = narrow[i].p_type,
					     .p_offset = narrow[i].p_offset,
					     .p_vaddr = narrow[i].p_vaddr,
					     .p_paddr = narrow[i].p_paddr,
					     .p_filesz = narrow[i].p_filesz,
					     .p_memsz = narrow[i].p_memsz,
					     .p_align = narrow[i].p_align};
	return 0;
}

static int load_segment(struct image_guest *g, const struct image *x, const Elf64_Phdr *s,
			struct err *e)
{
	void *host;

	if (s->p_filesz > s->p_memsz)
		return err_set(e, START,
			       "cannot boot '%s': a segment has more bytes in the file than "
			       "in memory; it is damaged",
			       x->path);
	if (layout_take(&g->layout, s->p_paddr, s->p_memsz, x->path, &host, e) < 0)
		return -1;
	/* The rest is zero: guest memory starts out so, and nobody else wrote there. */
	return image_read(x, s->p_offset, s->p_filesz, host, e);
}

static uint64_t align_note(uint64_t n, uint64_t align)
{
	uint64_t to = align == 8 ? 8 : 4;

	return (n + to - 1) & ~(to - 1);
}

/* A PVH entry in the notes of one segment; 0 = none. n is at most MOST_NOTES: no sum overflows. */
static uint64_t find_pvh(const uint8_t *notes, uint64_t n, uint64_t align)
{
	uint64_t at = 0;
	Elf64_Nhdr h;

	while (at + sizeof h <= n) {
		uint64_t name, desc, end, entry = 0;

		memcpy(&h, notes + at, sizeof h);
		name = at + sizeof h;
		desc = name + align_note(h.n_namesz, align);
		end = desc + h.n_descsz;
		if (end > n)
			break;
		if (h.n_type == XEN_ELFNOTE_PHYS32_ENTRY && h.n_namesz == 4 &&
		    !memcmp(notes + name, "Xen", 4) && (h.n_descsz == 4 || h.n_descsz == 8)) {
			memcpy(&entry, notes + desc, h.n_descsz);
			return entry;
		}
		at = desc + align_note(h.n_descsz, align);
	}
	return 0;
}

static int read_pvh(const struct image *x, const struct file *f, uint64_t *ret, struct err *e)
{
	*ret = 0;
	for (unsigned i = 0; i < f->n && *ret == 0; i++) {
		const Elf64_Phdr *s = &f->segment[i];
		AUTO_FREE uint8_t *notes = NULL;

		if (s->p_type != PT_NOTE || s->p_filesz == 0)
			continue;
		if (s->p_filesz > MOST_NOTES)
			return err_set(e, START,
				       "cannot boot '%s': %" PRIu64 " bytes of ELF notes, "
				       "more than %d",
				       x->path, (uint64_t)s->p_filesz, MOST_NOTES);
		notes = malloc(s->p_filesz);
		if (!notes)
			abort();
		if (image_read(x, s->p_offset, s->p_filesz, notes, e) < 0)
			return -1;
		*ret = find_pvh(notes, s->p_filesz, s->p_align);
	}
	return 0;
}

/* The physical address of an entry point that is given as physical, or else as virtual address. */
static bool find_entry(const struct file *f, uint64_t entry, uint64_t *ret)
{
	for (unsigned i = 0; i < f->n; i++) {
		const Elf64_Phdr *s = &f->segment[i];

		if (s->p_type == PT_LOAD && entry >= s->p_paddr &&
		    entry - s->p_paddr < s->p_memsz) {
			*ret = entry;
			return true;
		}
	}
	for (unsigned i = 0; i < f->n; i++) {
		const Elf64_Phdr *s = &f->segment[i];

		if (s->p_type == PT_LOAD && entry >= s->p_vaddr &&
		    entry - s->p_vaddr < s->p_memsz) {
			*ret = s->p_paddr + (entry - s->p_vaddr);
			return true;
		}
	}
	return false;
}

static int enter(struct image_guest *g, const struct image *x, const struct file *f, struct err *e)
{
	uint64_t pvh, entry;

	if (read_pvh(x, f, &pvh, e) < 0)
		return -1;
	if (!find_entry(f, pvh ? pvh : f->head.e_entry, &entry) || entry >= FOUR_GIB)
		return err_set(e, START,
			       "cannot boot '%s': its entry point 0x%" PRIx64 " lies in none "
			       "of its segments below 4 GiB",
			       x->path, pvh ? pvh : (uint64_t)f->head.e_entry);
	g->entry = (struct entry){.mode = f->is_64 && !pvh ? ENTRY_LONG : ENTRY_PROTECTED,
				  .gpa = entry};
	if (pvh)
		return 0;
	/* Without the note there is no protocol: nobody would find command line and ramdisk. */
	g->kernel = NULL;
	return 0;
}

static int load_elf(struct image_guest *g, const struct image *x, struct err *e)
{
	AUTO_FREE struct file *f = calloc(1, sizeof *f);
	unsigned loaded = 0;

	if (!f)
		abort();
	if (read_head(x, f, e) < 0 || read_segments(x, f, e) < 0)
		return -1;
	for (unsigned i = 0; i < f->n; i++) {
		if (f->segment[i].p_type != PT_LOAD || f->segment[i].p_memsz == 0)
			continue;
		if (load_segment(g, x, &f->segment[i], e) < 0)
			return -1;
		loaded++;
	}
	if (loaded == 0)
		return err_set(e, START, "cannot boot '%s': it has nothing to load", x->path);
	return enter(g, x, f, e);
}

static const struct image_class elf = {
	.name = "ELF",
	.is = is_elf,
	.load = load_elf,
	.finish = pvh_finish,
};

IMAGE_REGISTER(elf);
