/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/placing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/auto.h"
#include "vmm/boot/elf.h"
#include "vmm/boot/image.h"
#include "vmm/machine/memory.h"

enum { PAGE = 0x1000 };
#define FOUR_GIB   (UINT64_C(1) << 32)
#define WHOLE_FILE UINT32_MAX /* load_addr -1 of multiboot 2: from the file's first byte */

static int load_by_addresses(struct image_guest *g, const struct image *x, const struct placing *p,
			     struct err *e)
{
	uint64_t before = p->load == WHOLE_FILE ? p->header_offset : (uint64_t)p->header - p->load;
	uint64_t load = p->header - before, offset = p->header_offset - before, bytes, memory;
	void *host;

	if (before > p->header || before > p->header_offset || offset >= x->bytes)
		return err_set(e, START,
			       "cannot boot '%s': the addresses of its multiboot header do not fit "
			       "its place in the file; it is damaged",
			       x->path);
	bytes = x->bytes - offset;
	if (p->load_end) {
		if (p->load_end <= load || p->load_end - load > bytes)
			return err_set(e, START,
				       "cannot boot '%s': its multiboot header ends its data at "
				       "0x%x, beyond the file; it is damaged, copy it again",
				       x->path, p->load_end);
		bytes = p->load_end - load;
	}
	memory = p->bss_end > load + bytes ? p->bss_end - load : bytes;
	if (layout_take(&g->layout, load, memory, x->path, &host, e) < 0)
		return -1;
	return image_read(x, offset, bytes, host, e);
}

int placing_load(struct image_guest *g, const struct image *x, const struct placing *p,
		 uint64_t *ret_entry, struct err *e)
{
	AUTO_FREE struct elf *f = NULL;

	if (p->has_addresses) {
		if (load_by_addresses(g, x, p, e) < 0)
			return -1;
	} else {
		if (!elf_is(x))
			return err_set(e, START,
				       "cannot boot '%s': it is no ELF, and its multiboot header "
				       "gives no addresses",
				       x->path);
		f = calloc(1, sizeof *f);
		if (!f)
			abort();
		if (elf_read(x, f, e) < 0 || elf_load(g, x, f, e) < 0)
			return -1;
		if (!p->has_entry)
			return elf_find_entry(x, f, f->head.e_entry, ret_entry, e);
	}
	*ret_entry = p->entry;
	if (!p->has_entry || !memory_at(g->layout.memory, p->entry, 1))
		return err_set(e, START,
			       "cannot boot '%s': its multiboot header names no entry point that "
			       "lies in memory",
			       x->path);
	return 0;
}

int placing_check_modules(const struct image_guest *g, bool is_aligned, struct err *e)
{
	for (unsigned i = 0; i < g->n_modules; i++) {
		const struct image_module *m = &g->module[i];

		if (m->gpa + m->bytes > FOUR_GIB)
			return err_set(e, START,
				       "'%s' ends beyond 4 GiB, where multiboot has no modules: "
				       "load it lower",
				       m->path);
		if (is_aligned && m->gpa % PAGE)
			return err_set(e, START,
				       "'%s' lies at 0x%" PRIx64 ", but '%s' wants its modules at "
				       "page borders: load it at 0x%" PRIx64,
				       m->path, m->gpa, g->kernel_path,
				       (m->gpa + PAGE - 1) & ~UINT64_C(0xfff));
	}
	return 0;
}
