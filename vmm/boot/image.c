/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/image.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"
#include "vmm/x86/acpi.h"

#define FOUR_GIB (UINT64_C(1) << 32)

enum {
	PAGE = 0x1000,
	BIOS_AREA = 0xe0000,
	BIOS_BYTES = 0x20000,
	REAL_MODE_END = 0x100000,
	RESET_FROM_END = 16, /* the reset vector lies that much below the end */
};

extern const struct image_class *const __start_qvm_image[];
extern const struct image_class *const __stop_qvm_image[];

int image_read(const struct image *x, uint64_t offset, uint64_t bytes, void *ret, struct err *e)
{
	uint8_t *p = ret;

	if (offset > x->bytes || bytes > x->bytes - offset)
		return err_set(e, START,
			       "'%s' says that it is longer than its %" PRIu64 " bytes: "
			       "it is damaged, copy it again",
			       x->path, x->bytes);
	while (bytes) {
		ssize_t n = pread(x->fd, p, bytes < SSIZE_MAX ? bytes : SSIZE_MAX, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, START, "read '%s'", x->path);
		if (n == 0)
			return err_set(e, START, "'%s' became shorter while it was read", x->path);
		p += n;
		offset += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

static int open_image(const struct board_load *load, struct image *ret, struct err *e)
{
	struct stat st;

	*ret = (struct image){.path = load->path,
			      .line = load->line,
			      .fd = load->fd,
			      .has_gpa = load->has_gpa,
			      .gpa = load->gpa};
	if (fstat(load->fd, &st) < 0)
		return err_sys(e, START, "look at '%s'", load->path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return err_set(e, START, "'%s' is %s: `load` takes a regular file with contents",
			       load->path, S_ISREG(st.st_mode) ? "empty" : "not a regular file");
	ret->bytes = (uint64_t)st.st_size;
	ret->n_head = ret->bytes < IMAGE_HEAD ? (size_t)ret->bytes : IMAGE_HEAD;
	return image_read(ret, 0, ret->n_head, ret->head, e);
}

static const struct image_class *recognise(const struct image *x)
{
	const struct image_class *best = NULL;

	for (const struct image_class *const *c = __start_qvm_image; c < __stop_qvm_image; c++)
		if ((!best || (*c)->rank > best->rank) && (*c)->is(x))
			best = *c;
	return best;
}

static void add_module(struct image_guest *g, const struct board *b, const struct board_load *load,
		       uint64_t gpa, uint64_t bytes)
{
	if (!g->module)
		g->module = calloc(b->n_loads, sizeof *g->module);
	if (!g->module)
		abort();
	/* Their place among the others, until all are there: close_gaps(). */
	g->module[load - b->load] = (struct image_module){gpa, bytes, load->path};
}

static void close_gaps(struct image_guest *g, const struct board *b)
{
	for (unsigned i = 0; g->module && i < b->n_loads; i++)
		if (g->module[i].path)
			g->module[g->n_modules++] = g->module[i];
}

static int explain_two(const struct image_guest *g, const struct image *x, struct err *e)
{
	return err_set(e, START,
		       "both '%s' and '%s' say where to begin: load one of them as "
		       "`data load ADDR,FILE`",
		       g->kernel_path, x->path);
}

static int load_kernel(struct image_guest *g, const struct image *x, const struct image_class *c,
		       struct err *e)
{
	if (g->kernel_path)
		return explain_two(g, x, e);
	if (x->has_gpa)
		return err_set(e, START,
			       "'%s' is %s and says itself where it lies: remove the "
			       "address from its `load`",
			       x->path, c->name);
	g->kernel = c;
	g->kernel_path = x->path;
	return c->load(g, x, e);
}

/* Bytes as they are. */
static int load_raw(struct image_guest *g, const struct image *x, uint64_t *ret_gpa, struct err *e)
{
	void *host;

	*ret_gpa = x->gpa;
	if (x->has_gpa ? layout_take(&g->layout, x->gpa, x->bytes, x->path, &host, e)
		       : layout_take_low(&g->layout, x->bytes, x->path, ret_gpa, &host, e))
		return -1;
	return image_read(x, 0, x->bytes, host, e);
}

/* A ROM that ends where the processor looks after its reset. */
static bool has_reset_vector(const struct image_guest *g, const struct image *x, uint64_t gpa)
{
	const struct memory_range *r = memory_range_of(g->layout.memory, gpa);

	return r && r->is_rom && x->bytes >= RESET_FROM_END &&
	       (gpa + x->bytes == FOUR_GIB || gpa + x->bytes == REAL_MODE_END);
}

/* A chipset shows the last 128 KiB of the ROM below 1 MiB too. So does this board if it has memory there:
 * `rom`, or `ram` for a firmware that writes to its shadow. */
static int alias_rom(struct image_guest *g, const struct image *x, uint64_t gpa, struct err *e)
{
	uint64_t bytes = x->bytes < BIOS_BYTES ? x->bytes : BIOS_BYTES;
	void *host;

	if (gpa + x->bytes != FOUR_GIB ||
	    !memory_at(g->layout.memory, REAL_MODE_END - bytes, bytes))
		return 0;
	if (layout_take(&g->layout, REAL_MODE_END - bytes, bytes, x->path, &host, e) < 0)
		return -1;
	return image_read(x, x->bytes - bytes, bytes, host, e);
}

static int begin_at_raw(struct image_guest *g, const struct image *x, uint64_t gpa, struct err *e)
{
	if (g->kernel_path)
		return explain_two(g, x, e);
	if (has_reset_vector(g, x, gpa)) {
		g->kernel_path = x->path;
		g->entry =
			(struct entry){.mode = ENTRY_RESET, .gpa = gpa + x->bytes - RESET_FROM_END};
		return alias_rom(g, x, gpa, e);
	}
	if (gpa >= REAL_MODE_END)
		return err_set(
			e, START,
			"'%s' is no known image, so execution would begin at its "
			"first byte in real mode, but it lies at 0x%" PRIx64 ", beyond real "
			"mode's 1 MiB: link it as ELF, give an address below 0x%x, or, if it "
			"is a firmware, load it into a `rom` so that it ends at 4 GiB",
			x->path, gpa, REAL_MODE_END);
	g->kernel_path = x->path;
	g->entry = (struct entry){.mode = ENTRY_REAL, .gpa = gpa};
	return 0;
}

static int load_one(struct image_guest *g, const struct board *b, const struct board_load *load,
		    struct err *e)
{
	bool is_first = load == b->load;
	const struct image_class *c = NULL;
	struct image x;
	uint64_t gpa;

	if (open_image(load, &x, e) < 0)
		return -1;
	if (load->type != BOARD_IMAGE_DATA)
		c = recognise(&x);
	if (c)
		return load_kernel(g, &x, c, e);
	if (load->type == BOARD_IMAGE_DATA && !x.has_gpa)
		return err_set(e, START, "'%s' has no address: write `data load ADDR,FILE`",
			       x.path);
	if (load_raw(g, &x, &gpa, e) < 0)
		return -1;
	if (load->type == BOARD_IMAGE_DATA)
		add_module(g, b, load, gpa, x.bytes);
	if (load->type == BOARD_IMAGE_GUEST || (load->type == BOARD_IMAGE_AUTO && is_first))
		return begin_at_raw(g, &x, gpa, e);
	return 0;
}

static int place_initrd(struct image_guest *g, const struct image *x, void **ret_host,
			struct err *e)
{
	uint64_t below = g->initrd_may_be_high ? UINT64_MAX : g->initrd_below;

	if (!x->has_gpa)
		return layout_take_high(&g->layout, x->bytes, g->initrd_below, x->path,
					&g->initrd_gpa, ret_host, e) < 0 &&
				       (!g->initrd_may_be_high ||
					layout_take_high(&g->layout, x->bytes, below, x->path,
							 &g->initrd_gpa, ret_host, e) < 0)
			       ? -1
			       : 0;
	g->initrd_gpa = x->gpa;
	if (layout_take(&g->layout, x->gpa, x->bytes, x->path, ret_host, e) < 0)
		return -1;
	if (x->gpa + x->bytes > below)
		return err_set(e, START,
			       "'%s' at 0x%" PRIx64 " ends beyond 0x%" PRIx64 ", the most "
			       "that the kernel takes: remove the address",
			       x->path, x->gpa, below);
	return 0;
}

static int load_initrd(struct image_guest *g, const struct board *b, const struct board_load *load,
		       struct err *e)
{
	struct image x;
	void *host;

	if (open_image(load, &x, e) < 0)
		return -1;
	if (g->initrd_bytes)
		return err_set(e, START, "'%s' is a second ramdisk: name one `initrd load`",
			       x.path);
	if (place_initrd(g, &x, &host, e) < 0)
		return -1;
	add_module(g, b, load, g->initrd_gpa, x.bytes);
	g->initrd_bytes = x.bytes;
	return image_read(&x, 0, x.bytes, host, e);
}

/* The tables, and their RSDP once more where firmware would leave it for guests that search
 * (ACPI 6.4, 5.2.5.1), if the board has memory there. A board too small for them has none. */
static int write_acpi(struct image_guest *g, const struct board *b, struct err *e)
{
	uint64_t bytes = (acpi_bytes(b, &g->acpi_extras) + PAGE - 1) & ~UINT64_C(0xfff);
	struct err why, ignored;
	void *host, *copy;

	/* A firmware believes that all RAM is its own, and finds nothing in it. */
	if (g->entry.mode == ENTRY_RESET) {
		if (g->acpi_extras.n)
			return err_set(
				e, START,
				"a firmware makes the ACPI tables itself: remove `acpi load`");
		return 0;
	}

	if (layout_take_boot(&g->layout, bytes, "ACPI tables", &g->acpi_gpa, &host, &why) < 0) {
		if (g->acpi_extras.n == 0)
			return 0;
		*e = why;
		return err_wrap(e, "`acpi load`");
	}
	acpi_write(b, &g->acpi_extras, g->acpi_gpa, host);
	g->acpi_bytes = bytes;
	if (layout_take(&g->layout, BIOS_AREA, ACPI_RSDP_BYTES, "ACPI RSDP", &copy, &ignored) == 0)
		memcpy(copy, host, ACPI_RSDP_BYTES);
	return 0;
}

/* GDT and page tables, ACPI; then whatever the kernel's boot protocol wants. */
static int finish(struct image_guest *g, const struct board *b, struct err *e)
{
	uint64_t bytes = entry_table_bytes(g->entry.mode);
	void *host;

	if (bytes) {
		if (layout_take_boot(&g->layout, bytes, "processor tables", &g->entry.tables, &host,
				     e) < 0)
			return -1;
		entry_write_tables(&g->entry, host);
	}
	if (write_acpi(g, b, e) < 0)
		return -1;
	if (g->kernel)
		return g->kernel->finish(g, e);
	if (g->initrd_bytes || *g->cmdline)
		return err_set(e, START,
			       "'%s' has no boot protocol that would tell it of %s: give it "
			       "a PVH note, or remove the option",
			       g->kernel_path, g->initrd_bytes ? "an `initrd`" : "a `cmdline`");
	return 0;
}

/* With an address it lies there and nowhere else, without one among qvm's own tables. */
static int load_acpi(struct image_guest *g, const struct board_load *load, struct err *e)
{
	AUTO_FREE uint8_t *bytes = NULL;
	struct acpi_extra x;
	struct image file;
	void *host;

	if (open_image(load, &file, e) < 0)
		return -1;
	if (file.bytes > ACPI_EXTRA_BYTES)
		return err_set(e, START, "'%s' is longer than an ACPI table may be, %d bytes",
			       file.path, ACPI_EXTRA_BYTES);
	bytes = malloc(file.bytes + 1); /* of an empty file too */
	if (!bytes)
		abort();
	if (image_read(&file, 0, file.bytes, bytes, e) < 0)
		return -1;
	x = (struct acpi_extra){bytes, file.bytes, file.has_gpa ? file.gpa : 0};
	if (acpi_extra_add(&g->acpi_extras, &x, file.path, e) < 0)
		return -1;
	bytes = NULL; /* the list owns it */
	if (!file.has_gpa)
		return 0;
	if (layout_take(&g->layout, file.gpa, file.bytes, file.path, &host, e) < 0)
		return -1;
	memcpy(host, x.bytes, x.n);
	return 0;
}

static int load_all(struct image_guest *g, const struct board *b, unsigned *ret_load, struct err *e)
{
	const struct board_load *load = b->load;
	unsigned i;

	/* The ramdisk's place depends on the kernel, whichever comes first. */
	for (i = 0; i < b->n_loads; i++)
		if (load[i].type == BOARD_IMAGE_ACPI && load_acpi(g, &load[i], e) < 0)
			goto wrong;
	for (i = 0; i < b->n_loads; i++)
		if (load[i].type != BOARD_IMAGE_INITRD && load[i].type != BOARD_IMAGE_ACPI &&
		    load_one(g, b, &load[i], e) < 0)
			goto wrong;
	if (!g->kernel_path)
		return err_set(e, START,
			       "no `load` names a guest to begin with: the first file must "
			       "be an image, or bytes to execute");
	for (i = 0; i < b->n_loads; i++)
		if (load[i].type == BOARD_IMAGE_INITRD && load_initrd(g, b, &load[i], e) < 0)
			goto wrong;
	close_gaps(g, b);
	return finish(g, b, e);
wrong:
	*ret_load = i;
	return err_wrap(e, "`%sload` in line %u",
			load[i].type == BOARD_IMAGE_ACPI     ? "acpi "
			: load[i].type == BOARD_IMAGE_INITRD ? "initrd "
							     : "",
			load[i].line);
}

int image_load_board(const struct board *b, const struct memory *m, struct entry *ret,
		     unsigned *ret_load, struct err *e)
{
	struct image_guest g = {
		.layout = {.memory = m}, .cmdline = b->cmdline, .initrd_below = FOUR_GIB};
	unsigned wrong = b->n_loads;
	int r = load_all(&g, b, &wrong, e);

	if (r == 0)
		*ret = g.entry;
	else if (ret_load)
		*ret_load = wrong;
	free(g.kernel_state);
	free(g.module);
	acpi_extra_free(&g.acpi_extras);
	layout_free(&g.layout);
	return r;
}
