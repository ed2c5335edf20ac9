/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multiboot.c - kernels by the Multiboot Specification 0.6.96: a header in the first 8 KiB, entered in
 * flat 32-bit mode with EAX = magic and EBX = information (3.2, 3.3). Each `data load` and `initrd load`
 * is a module, in order of the configuration, with its path as string. A kernel that needs a video mode
 * is refused: there is no screen.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"
#include "vmm/boot/placing.h"

enum { SEARCH = 8192, BOOT_MAGIC = 0x2badb002 };
#define HEADER_MAGIC UINT32_C(0x1badb002)

/* 3.1.2: flags 0 to 15 must be understood. */
enum {
	ALIGN_MODULES = 1 << 0,
	WANT_MEMORY = 1 << 1,
	WANT_VIDEO = 1 << 2,
	REQUIREMENTS = 0xffff,
	HAS_ADDRESSES = 1 << 16,
};

struct header {
	uint32_t magic, flags, checksum;
	uint32_t header, load, load_end, bss_end, entry; /* with HAS_ADDRESSES */
};

/* 3.3: bits of flags, and what they say is there. */
enum {
	INFO_MEMORY = 1 << 0,
	INFO_CMDLINE = 1 << 2,
	INFO_MODULES = 1 << 3,
	INFO_MAP = 1 << 6,
	INFO_LOADER = 1 << 9,
};

struct info {
	uint32_t flags, lower_kib, upper_kib, boot_device, cmdline, n_modules, modules, symbols[4];
	uint32_t map_bytes, map, drive_bytes, drives, config, loader, apm, vbe[4];
	uint32_t framebuffer[7];
};
struct module {
	uint32_t start, end, string, reserved;
};
struct range {
	uint32_t size; /* of what follows */
	uint64_t gpa, bytes;
	uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct info) == 116 && sizeof(struct module) == 16 &&
		       sizeof(struct range) == 24,
	       "read by the guest");

static const char loader[] = "qvm";

/* 3.1.1: 32-bit aligned, wholly in the first 8 KiB. */
static bool find(const struct image *x, struct header *ret, size_t *ret_at)
{
	const size_t least = offsetof(struct header, header);
	size_t n = x->n_head < SEARCH ? x->n_head : SEARCH;

	for (size_t at = 0; at + least <= n; at += 4) {
		memset(ret, 0, sizeof *ret);
		memcpy(ret, x->head + at, n - at < sizeof *ret ? least : sizeof *ret);
		if (ret->magic != HEADER_MAGIC || ret->magic + ret->flags + ret->checksum != 0)
			continue;
		*ret_at = at;
		return n - at >= sizeof *ret || !(ret->flags & HAS_ADDRESSES);
	}
	return false;
}

static bool is_multiboot(const struct image *x)
{
	struct header h;
	size_t at;

	return find(x, &h, &at);
}

static int load_multiboot(struct image_guest *g, const struct image *x, struct err *e)
{
	struct header h = {0};
	struct placing p = {0};
	uint32_t *flags;
	size_t at = 0;

	find(x, &h, &at);
	if (h.flags & WANT_VIDEO)
		return err_set(
			e, START,
			"cannot boot '%s': its multiboot header needs a video mode (flag 2), "
			"and the board has no screen",
			x->path);
	if (h.flags & REQUIREMENTS & ~(ALIGN_MODULES | WANT_MEMORY))
		return err_set(
			e, START,
			"cannot boot '%s': its multiboot header has the flags 0x%x, of which "
			"only 0x10003 are known",
			x->path, h.flags);
	p = (struct placing){.header_offset = at,
			     .has_addresses = h.flags & HAS_ADDRESSES,
			     .header = h.header,
			     .load = h.load,
			     .load_end = h.load_end,
			     .bss_end = h.bss_end,
			     .has_entry = h.flags & HAS_ADDRESSES,
			     .entry = h.entry};
	g->entry = (struct entry){.mode = ENTRY_PROTECTED, .rax = BOOT_MAGIC};
	if (placing_load(g, x, &p, &g->entry.gpa, e) < 0)
		return -1;
	flags = malloc(sizeof *flags);
	if (!flags)
		abort();
	*flags = h.flags;
	g->kernel_state = (uint8_t *)flags;
	return 0;
}

/* Room for the information: its parts lie one behind the other. */
struct room {
	uint8_t *host;
	uint32_t gpa, n;
};

static uint32_t put(struct room *r, const void *bytes, size_t n)
{
	uint32_t at = r->gpa + r->n;

	memcpy(r->host + r->n, bytes, n);
	r->n += (uint32_t)n;
	return at;
}

static uint32_t put_modules(struct room *r, const struct image_guest *g)
{
	struct room list = {r->host + r->n, r->gpa + r->n, 0};

	r->n += g->n_modules * (uint32_t)sizeof(struct module);
	for (unsigned i = 0; i < g->n_modules; i++) {
		const struct image_module *m = &g->module[i];
		struct module one = {(uint32_t)m->gpa, (uint32_t)(m->gpa + m->bytes),
				     put(r, m->path, strlen(m->path) + 1), 0};

		put(&list, &one, sizeof one);
	}
	return list.gpa;
}

static int finish_multiboot(struct image_guest *g, struct err *e)
{
	AUTO_FREE struct map_entry *map = calloc(map_most(g), sizeof *map);
	size_t bytes = sizeof(struct info) + strlen(g->cmdline) + 1 + sizeof loader;
	struct info info = {.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MAP | INFO_LOADER};
	struct room r = {.n = sizeof info};
	uint32_t flags;
	unsigned n;
	void *host;

	if (!map)
		abort();
	memcpy(&flags, g->kernel_state, sizeof flags);
	if (placing_check_modules(g, flags & ALIGN_MODULES, e) < 0)
		return -1;
	n = map_make(g, map);
	bytes += n * sizeof(struct range) + g->n_modules * sizeof(struct module);
	for (unsigned i = 0; i < g->n_modules; i++)
		bytes += strlen(g->module[i].path) + 1;
	if (layout_take_boot(&g->layout, bytes, "multiboot information", &g->entry.rbx, &host, e) <
	    0)
		return -1;
	r.host = host;
	r.gpa = (uint32_t)g->entry.rbx;
	info.map = r.gpa + r.n;
	info.map_bytes = n * (uint32_t)sizeof(struct range);
	for (unsigned i = 0; i < n; i++)
		put(&r,
		    &(struct range){sizeof(struct range) - 4, map[i].gpa, map[i].bytes,
				    map[i].type},
		    sizeof(struct range));
	if (g->n_modules) {
		info.flags |= INFO_MODULES;
		info.n_modules = g->n_modules;
		info.modules = put_modules(&r, g);
	}
	info.cmdline = put(&r, g->cmdline, strlen(g->cmdline) + 1);
	info.loader = put(&r, loader, sizeof loader);
	map_kib(g, &info.lower_kib, &info.upper_kib);
	memcpy(host, &info, sizeof info);
	map_leave_bios_data(g);
	return 0;
}

static const struct image_class multiboot = {
	.name = "a multiboot kernel",
	.rank = IMAGE_RANK_HEADER,
	.is = is_multiboot,
	.load = load_multiboot,
	.finish = finish_multiboot,
};

IMAGE_REGISTER(multiboot);
