/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multiboot2.c - kernels by the Multiboot2 Specification 2.0: a header of tags in the first 32 KiB,
 * entered in flat 32-bit mode with EAX = magic and EBX = information in tags (3.3, 3.6). Each `data load`
 * and `initrd load` is a module, in order of the configuration, with its path as string.
 *
 * A tag of the header that is not optional must be understood (3.1.3): framebuffer and required console
 * are refused, for there is no screen; EFI tags matter to EFI loaders alone; a relocatable kernel lies
 * where it is linked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/boot/map.h"
#include "vmm/boot/placing.h"
#include "vmm/machine/memory.h"
#include "vmm/x86/acpi.h"

enum { SEARCH = 32768, ALIGN = 8, I386 = 0, BOOT_MAGIC = 0x36d76289, OPTIONAL = 1 };
#define HEADER_MAGIC UINT32_C(0xe85250d6)

struct header {
	uint32_t magic, architecture, length, checksum;
};
struct tag {
	uint16_t type, flags;
	uint32_t size;
};
/* 3.1.4 to 3.1.13 */
enum {
	TAG_END,
	TAG_REQUEST,
	TAG_ADDRESSES,
	TAG_ENTRY,
	TAG_CONSOLE,
	TAG_FRAMEBUFFER,
	TAG_MODULE_ALIGN,
	TAG_EFI_SERVICES,
	TAG_EFI_ENTRY_32,
	TAG_EFI_ENTRY_64,
	TAG_RELOCATABLE,
};
/* 3.6 */
enum {
	INFO_END = 0,
	INFO_CMDLINE = 1,
	INFO_LOADER = 2,
	INFO_MODULE = 3,
	INFO_MEMORY = 4,
	INFO_MAP = 6,
	INFO_RSDP_2 = 15,
	INFO_KNOWN = 21, /* the last that the specification has */
};
enum { MAP_ENTRY = 24, CONSOLE_REQUIRED = 1 };

struct state {
	struct placing placing;
	bool is_aligned;
};

static bool find(const struct image *x, struct header *ret, size_t *ret_at)
{
	for (size_t at = 0; at + sizeof *ret <= x->n_head; at += ALIGN) {
		memcpy(ret, x->head + at, sizeof *ret);
		if (ret->magic != HEADER_MAGIC ||
		    ret->magic + ret->architecture + ret->length + ret->checksum != 0)
			continue;
		*ret_at = at;
		return true;
	}
	return false;
}

static bool is_multiboot2(const struct image *x)
{
	struct header h;
	size_t at;

	return find(x, &h, &at);
}

static int refuse(const struct image *x, const char *why, struct err *e)
{
	return err_set(e, START, "cannot boot '%s': its multiboot2 header %s", x->path, why);
}

/* The 32-bit word n of a tag's body, or 0 where it is shorter. */
static uint32_t word(const uint8_t *tag, uint32_t size, unsigned n)
{
	size_t at = sizeof(struct tag) + n * 4;
	uint32_t value = 0;

	if (at + 4 <= size)
		memcpy(&value, tag + at, 4);
	return value;
}

static int take_request(const struct image *x, const uint8_t *p, const struct tag *t, struct err *e)
{
	unsigned n = (unsigned)((t->size - sizeof *t) / 4);

	/* 3.1.4: to understand what is asked for is enough; what the board lacks is left out. */
	for (unsigned i = 0; i < n; i++)
		if (!(t->flags & OPTIONAL) && word(p, t->size, i) > INFO_KNOWN)
			return refuse(x, "asks for information that is not known", e);
	return 0;
}

static int take_tag(struct state *s, const struct image *x, const uint8_t *p, const struct tag *t,
		    struct err *e)
{
	bool is_optional = t->flags & OPTIONAL;

	switch (t->type) {
	case TAG_REQUEST: return take_request(x, p, t, e);
	case TAG_ADDRESSES:
		s->placing.has_addresses = true;
		s->placing.header = word(p, t->size, 0);
		s->placing.load = word(p, t->size, 1);
		s->placing.load_end = word(p, t->size, 2);
		s->placing.bss_end = word(p, t->size, 3);
		return 0;
	case TAG_ENTRY:
		s->placing.has_entry = true;
		s->placing.entry = word(p, t->size, 0);
		return 0;
	case TAG_MODULE_ALIGN: s->is_aligned = true; return 0;
	case TAG_CONSOLE:
		if (!is_optional && (word(p, t->size, 0) & CONSOLE_REQUIRED))
			return refuse(x, "needs a text console, and the board has no screen", e);
		return 0;
	case TAG_FRAMEBUFFER:
		return is_optional
			       ? 0
			       : refuse(x, "needs a framebuffer, and the board has no screen", e);
	case TAG_EFI_SERVICES:
	case TAG_EFI_ENTRY_32:
	case TAG_EFI_ENTRY_64:
	case TAG_RELOCATABLE: return 0;
	default: return is_optional ? 0 : refuse(x, "has a required tag that is not known", e);
	}
}

static int read_tags(struct state *s, const struct image *x, const struct header *h, size_t from,
		     struct err *e)
{
	size_t end = from + h->length, at = from + sizeof *h;
	struct tag t;

	if (h->architecture != I386)
		return refuse(x, "is not for i386", e);
	if (h->length > x->n_head - from)
		return refuse(x, "does not end within the first 32 KiB", e);
	for (; at + sizeof t <= end; at += (t.size + ALIGN - 1) & ~(size_t)(ALIGN - 1)) {
		memcpy(&t, x->head + at, sizeof t);
		if (t.type == TAG_END)
			return 0;
		if (t.size < sizeof t || t.size > end - at)
			return refuse(x, "has a tag of impossible length; it is damaged", e);
		if (take_tag(s, x, x->head + at, &t, e) < 0)
			return -1;
	}
	return refuse(x, "has no end tag; it is damaged", e);
}

static int load_multiboot2(struct image_guest *g, const struct image *x, struct err *e)
{
	struct state *s = calloc(1, sizeof *s);
	struct header h = {0};

	if (!s)
		abort();
	g->kernel_state = (uint8_t *)s;
	find(x, &h, &s->placing.header_offset);
	g->entry = (struct entry){.mode = ENTRY_PROTECTED, .rax = BOOT_MAGIC};
	return read_tags(s, x, &h, s->placing.header_offset, e) < 0 ||
			       placing_load(g, x, &s->placing, &g->entry.gpa, e) < 0
		       ? -1
		       : 0;
}

/* The information as it grows; counted only while it has no room. */
struct room {
	uint8_t *host;
	size_t n;
};

static void put(struct room *r, const void *bytes, size_t n)
{
	if (r->host && n)
		memcpy(r->host + r->n, bytes, n);
	r->n += n;
}

static void put_tag(struct room *r, uint32_t type, const void *head, size_t n_head,
		    const void *body, size_t n_body)
{
	static const uint8_t zero[ALIGN];
	uint32_t words[2] = {type, (uint32_t)(sizeof words + n_head + n_body)};

	put(r, words, sizeof words);
	put(r, head, n_head);
	put(r, body, n_body);
	put(r, zero, -words[1] & (ALIGN - 1));
}

static void put_map(struct room *r, const struct map_entry *map, unsigned n)
{
	uint32_t words[4] = {INFO_MAP, sizeof words + n * MAP_ENTRY, MAP_ENTRY, 0};

	put(r, words, sizeof words);
	for (unsigned i = 0; i < n; i++) {
		uint64_t range[3] = {map[i].gpa, map[i].bytes, map[i].type};

		put(r, range, sizeof range);
	}
}

static void build(struct room *r, const struct image_guest *g, const struct map_entry *map,
		  unsigned n)
{
	const void *rsdp =
		g->acpi_bytes ? memory_at(g->layout.memory, g->acpi_gpa, ACPI_RSDP_BYTES) : NULL;
	uint32_t head[2] = {0, 0}, kib[2];

	map_kib(g, &kib[0], &kib[1]);
	put(r, head, sizeof head);
	put_tag(r, INFO_CMDLINE, NULL, 0, g->cmdline, strlen(g->cmdline) + 1);
	put_tag(r, INFO_LOADER, NULL, 0, "qvm", sizeof "qvm");
	for (unsigned i = 0; i < g->n_modules; i++) {
		const struct image_module *m = &g->module[i];
		uint32_t place[2] = {(uint32_t)m->gpa, (uint32_t)(m->gpa + m->bytes)};

		put_tag(r, INFO_MODULE, place, sizeof place, m->path, strlen(m->path) + 1);
	}
	put_tag(r, INFO_MEMORY, kib, sizeof kib, NULL, 0);
	put_map(r, map, n);
	if (rsdp)
		put_tag(r, INFO_RSDP_2, NULL, 0, rsdp, ACPI_RSDP_BYTES);
	put_tag(r, INFO_END, NULL, 0, NULL, 0);
	head[0] = (uint32_t)r->n;
	if (r->host)
		memcpy(r->host, head, sizeof head);
}

static int finish_multiboot2(struct image_guest *g, struct err *e)
{
	const struct state *s = (const struct state *)(const void *)g->kernel_state;
	AUTO_FREE struct map_entry *map = calloc(map_most(g), sizeof *map);
	struct room r = {0};
	unsigned n;
	void *host;

	if (!map)
		abort();
	if (placing_check_modules(g, s->is_aligned, e) < 0)
		return -1;
	n = map_make(g, map);
	build(&r, g, map, n);
	if (layout_take_boot(&g->layout, r.n, "multiboot information", &g->entry.rbx, &host, e) < 0)
		return -1;
	r = (struct room){.host = host};
	build(&r, g, map, n);
	map_leave_bios_data(g);
	return 0;
}

static const struct image_class multiboot2 = {
	.name = "a multiboot2 kernel",
	.rank = IMAGE_RANK_HEADER_2,
	.is = is_multiboot2,
	.load = load_multiboot2,
	.finish = finish_multiboot2,
};

IMAGE_REGISTER(multiboot2);
