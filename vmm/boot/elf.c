/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/elf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"

enum { MOST_NOTES = 64 * 1024, XEN_ELFNOTE_PHYS32_ENTRY = 18 };

#define FOUR_GIB (UINT64_C(1) << 32)

bool elf_is(const struct image *x)
{
	return x->n_head >= SELFMAG && !memcmp(x->head, ELFMAG, SELFMAG);
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

static int read_head(const struct image *x, struct elf *f, struct err *e)
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
	else if (f->head.e_phnum == 0 || f->head.e_phnum > ELF_SEGMENTS)
		why = "it must have 1 to 128 program headers";
	else if (f->head.e_phentsize != (f->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		why = "its program headers have an unknown size";
	return why ? err_set(e, START, "cannot boot '%s': %s", x->path, why) : 0;
}

static int read_segments(const struct image *x, struct elf *f, struct err *e)
{
	Elf32_Phdr narrow[ELF_SEGMENTS];

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

int elf_find_pvh(const struct image *x, const struct elf *f, uint64_t *ret, struct err *e)
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

static bool find_entry(const struct elf *f, uint64_t entry, uint64_t *ret)
{
	for (unsigned is_virtual = 0; is_virtual < 2; is_virtual++) {
		for (unsigned i = 0; i < f->n; i++) {
			const Elf64_Phdr *s = &f->segment[i];
			uint64_t from = is_virtual ? s->p_vaddr : s->p_paddr;

			if (s->p_type != PT_LOAD || entry < from || entry - from >= s->p_memsz)
				continue;
			*ret = s->p_paddr + (entry - from);
			return true;
		}
	}
	return false;
}

int elf_find_entry(const struct image *x, const struct elf *f, uint64_t entry, uint64_t *ret,
		   struct err *e)
{
	uint64_t gpa;

	if (!find_entry(f, entry, &gpa) || gpa >= FOUR_GIB)
		return err_set(e, START,
			       "cannot boot '%s': its entry point 0x%" PRIx64 " lies in none "
			       "of its segments below 4 GiB",
			       x->path, entry);
	*ret = gpa;
	return 0;
}

int elf_read(const struct image *x, struct elf *f, struct err *e)
{
	return read_head(x, f, e) < 0 ? -1 : read_segments(x, f, e);
}

int elf_load(struct image_guest *g, const struct image *x, const struct elf *f, struct err *e)
{
	unsigned loaded = 0;

	for (unsigned i = 0; i < f->n; i++) {
		if (f->segment[i].p_type != PT_LOAD || f->segment[i].p_memsz == 0)
			continue;
		if (load_segment(g, x, &f->segment[i], e) < 0)
			return -1;
		loaded++;
	}
	if (loaded == 0)
		return err_set(e, START, "cannot boot '%s': it has nothing to load", x->path);
	return 0;
}
