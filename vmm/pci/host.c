/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci-host - the host bridge of PCI bus 0: configuration mechanism #1 at ports 0xcf8 and 0xcfc (PCI
 * Local Bus 3.0, 3.2.2.3.2) and the memory-mapped one (PCI Express 4.0, 7.2.2), and one window of
 * addresses in which the guest may place BARs wherever it likes. On every board with a PCI function.
 *
 * The board's address space never changes; the window routes each access to the BAR that decodes it
 * at that moment. Bars are placed here before the guest starts, as a firmware does; decoding is off.
 * INTA of a device is a line of the I/O APIC (vmm/pci/slot.h), shared: high while anybody asserts it.
 * Not there: other buses, I/O BARs, bus errors, the extended space above 256 bytes (reads 0).
 */
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stddef.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/pci/register.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

enum { REGION_ECAM, REGION_WINDOW, REGION_PORTS };
enum { CONFIG_ADDRESS = 0, CONFIG_DATA = 4, PORTS = 8 };
enum { ECAM_SLOT_SHIFT = 12, ECAM_BYTES = PCI_SLOTS << ECAM_SLOT_SHIFT };
#define CONFIG_ENABLE UINT32_C(0x80000000)
/* Enable, bus, slot, dword: what of CONFIG_ADDRESS holds. */
#define CONFIG_BITS UINT32_C(0x80fffffc)
#define WINDOW_BASE UINT64_C(0xe8000000)
#define ECAM_BASE   UINT64_C(0xe0000000)
#define FOUR_GIB    (UINT64_C(1) << 32)
enum { WINDOW_BYTES = 128 * 1024 * 1024 };

struct host {
	struct pci_bus bus;
	struct pci_function own;
	struct pci_function *slot[PCI_SLOTS];
	uint32_t address; /* CONFIG_ADDRESS */
	struct vdev *vdev;
	/* Taken last, under any function's lock. */
	pthread_mutex_t lines;
	unsigned asserted[PCI_LINES]; /* functions that hold the line high */
};

static const struct pci_id id = {
	.vendor = 0x1c05,
	.device = 0x0002,
	.class = 0x060000,
};

/* --- interrupt lines --- */

static void drive_line(struct pci_bus *b, struct pci_function *f, bool level)
{
	struct host *h = (struct host *)((char *)b - offsetof(struct host, bus));
	int line = pci_slot_line(pci_slot_device(f->vdev->slot), 0);
	unsigned *n = &h->asserted[line - PCI_FIRST_LINE];

	pthread_mutex_lock(&h->lines);
	*n += level ? 1u : -1u; /* functions tell changes only */
	if (*n == (level ? 1 : 0))
		machine_line(h->vdev->machine, f->vdev, line, level);
	pthread_mutex_unlock(&h->lines);
}

/* --- configuration --- */

static uint32_t ones(unsigned width)
{
	return width >= 4 ? UINT32_MAX : (UINT32_C(1) << (8 * width)) - 1;
}

/* 3.2.2.3.4: where no function answers, reads are all ones and writes are dropped. */
static uint32_t config_read(struct host *h, unsigned slot, unsigned offset, unsigned width)
{
	struct pci_function *f = h->slot[slot];
	uint32_t value = 0;

	if (!f)
		return ones(width);
	if (offset + width > PCI_CONFIG)
		return 0;
	if (f == &h->own) /* its lock is held */
		return pci_function_read(f, offset, width);
	pthread_mutex_lock(&f->vdev->lock);
	value = pci_function_read(f, offset, width);
	pthread_mutex_unlock(&f->vdev->lock);
	return value;
}

/* Where nobody but f answers in that BAR; 0 = nowhere. BARs change under our lock alone. */
static uint64_t reachable_at(const struct host *h, const struct pci_function *f, unsigned bar)
{
	const struct vdev_region *window = &h->vdev->region[REGION_WINDOW];
	uint64_t at = pci_function_bar(f, bar), bytes = f->bar_bytes[bar];

	if (bytes > window->bytes || at < window->base ||
	    at - window->base > window->bytes - bytes || !pci_function_overlaps(f, at, bytes))
		return 0;
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (h->slot[i] && h->slot[i] != f && pci_function_overlaps(h->slot[i], at, bytes))
			return 0;
	return at;
}

static void tell_place(struct host *h, struct pci_function *f, unsigned bar, bool leaves)
{
	uint64_t at = reachable_at(h, f, bar);

	if (at == f->placed_at[bar] || (leaves && !f->placed_at[bar]))
		return;
	f->placed_at[bar] = leaves ? 0 : at;
	pthread_mutex_lock(&f->vdev->lock);
	f->placed(f, bar, f->placed_at[bar]);
	pthread_mutex_unlock(&f->vdev->lock);
}

/* First those that leave a place, then those that come: two may have changed places. */
static void tell_places(struct host *h)
{
	for (unsigned i = 0; i < 2 * PCI_SLOTS; i++) {
		struct pci_function *f = h->slot[i % PCI_SLOTS];

		for (unsigned n = 0; f && f->placed && n < PCI_BARS; n++)
			if (f->watched_bars >> n & 1)
				tell_place(h, f, n, i < PCI_SLOTS);
	}
}

static void config_write(struct host *h, unsigned slot, unsigned offset, unsigned width,
			 uint32_t value)
{
	struct pci_function *f = h->slot[slot];

	if (!f || offset + width > PCI_CONFIG || f == &h->own)
		return;
	pthread_mutex_lock(&f->vdev->lock);
	pci_function_write(f, offset, width, value);
	pthread_mutex_unlock(&f->vdev->lock);
	if (offset < PCI_BASE_ADDRESS_5 + 4)
		tell_places(h);
}

/* True if CONFIG_DATA is open, on a slot of bus 0. */
static bool selects(const struct host *h, unsigned *ret_slot)
{
	*ret_slot = h->address >> 8 & (PCI_SLOTS - 1);
	return (h->address & CONFIG_ENABLE) && (h->address >> 16 & 0xff) == 0;
}

/* An access inside both registers, wherever it starts. */
static uint32_t port_read(struct host *h, unsigned offset, unsigned width)
{
	unsigned slot;

	if (offset == CONFIG_ADDRESS && width == 4)
		return h->address;
	if (offset < CONFIG_DATA || offset + width > PORTS || !selects(h, &slot))
		return ones(width);
	return config_read(h, slot, (h->address & 0xfc) + (offset - CONFIG_DATA), width);
}

static void port_write(struct host *h, unsigned offset, unsigned width, uint32_t value)
{
	unsigned slot;

	if (offset == CONFIG_ADDRESS && width == 4)
		h->address = value & CONFIG_BITS;
	else if (offset >= CONFIG_DATA && offset + width <= PORTS && selects(h, &slot))
		config_write(h, slot, (h->address & 0xfc) + (offset - CONFIG_DATA), width, value);
}

static uint64_t host_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct host *h = d->state;

	if (region == REGION_PORTS)
		return port_read(h, (unsigned)offset, width);
	return config_read(h, (unsigned)(offset >> ECAM_SLOT_SHIFT),
			   (unsigned)(offset & ((1u << ECAM_SLOT_SHIFT) - 1)), width);
}

static void host_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		       uint64_t value)
{
	struct host *h = d->state;

	if (region == REGION_PORTS)
		port_write(h, (unsigned)offset, width, (uint32_t)value);
	else
		config_write(h, (unsigned)(offset >> ECAM_SLOT_SHIFT),
			     (unsigned)(offset & ((1u << ECAM_SLOT_SHIFT) - 1)), width,
			     (uint32_t)value);
}

/* --- the window --- */

static bool host_route(struct vdev *d, struct vdev_target *t, unsigned width)
{
	struct host *h = d->state;
	uint64_t address = d->region[REGION_WINDOW].base + t->offset;

	if (t->region != REGION_WINDOW)
		return true;
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		if (!h->slot[i] ||
		    !pci_function_decodes(h->slot[i], address, width, &t->region, &t->offset))
			continue;
		t->vdev = h->slot[i]->vdev;
		return true;
	}
	return false;
}

static int place_bars(struct vdev *d, struct pci_function *f, uint64_t *next, struct err *e)
{
	const struct vdev_region *window = &d->region[REGION_WINDOW];

	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint64_t bytes = f->bar_bytes[n], at;

		if (!bytes)
			continue;
		at = (*next + bytes - 1) & ~(bytes - 1);
		if (at + bytes > window->base + window->bytes)
			return err_set(e, CONFIG,
				       "the window of %" PRIu64 " bytes for PCI devices is full "
				       "at '%s': put fewer of them on the board",
				       window->bytes, f->vdev->name);
		pci_function_place_bar(f, n, (uint32_t)at);
		*next = at + bytes;
	}
	return 0;
}

/* --- its life --- */

static void host_init(struct vdev *d)
{
	struct host *h = d->state;

	pthread_mutex_init(&h->lines, NULL);
	h->vdev = d;
	h->bus.line = drive_line;
	pci_function_init(&h->own, d, &id);
	d->slot = 0;
	d->region[REGION_PORTS] = (struct vdev_region){VDEV_IO, 0xcf8, PORTS, true};
}

static void host_destroy(struct vdev *d)
{
	struct host *h = d->state;

	pthread_mutex_destroy(&h->lines);
}

static int host_check(struct vdev *d, struct err *e)
{
	const struct vdev_region *ecam = &d->region[REGION_ECAM];
	const struct vdev_region *window = &d->region[REGION_WINDOW];

	if (!d->region[REGION_PORTS].is_under)
		return err_set(e, CONFIG,
			       "the configuration ports of PCI are 0xcf8 and 0xcfc on every PC: a "
			       "third `loc` cannot move them");
	if (ecam->space != VDEV_MEM || window->space != VDEV_MEM)
		return err_set(e, CONFIG,
			       "pci-host takes two places in memory: one of %d bytes "
			       "for configuration, one of %d for devices",
			       ECAM_BYTES, WINDOW_BYTES);
	if (ecam->base % ECAM_BYTES || window->base % ECAM_BYTES ||
	    ecam->base + ecam->bytes > FOUR_GIB || window->base + window->bytes > FOUR_GIB)
		return err_set(e, CONFIG,
			       "the places of pci-host are multiples of 0x%x below 4 GiB",
			       ECAM_BYTES);
	return 0;
}

static int host_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct host *h = d->state;
	uint64_t next = d->region[REGION_WINDOW].base;
	struct vdev *v;

	h->slot[0] = d->pci = &h->own;
	for (unsigned i = 0; (v = machine_vdev(m, i)); i++) {
		if (v == d || v->slot < 0)
			continue;
		if (v->slot >= PCI_SLOTS || !v->pci || h->slot[v->slot])
			return err_set(e, INTERNAL, "vdev '%s' has no PCI slot of its own",
				       v->name);
		h->slot[v->slot] = v->pci;
		v->pci->bus = &h->bus;
		pci_function_set(v->pci, PCI_INTERRUPT_LINE, 1,
				 v->pci->config[PCI_INTERRUPT_PIN]
					 ? (uint32_t)pci_slot_line(pci_slot_device(v->slot), 0)
					 : 0);
		if (place_bars(d, v->pci, &next, e) < 0)
			return -1;
	}
	/* 6.2.1: function 0 tells that there are others. */
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (h->slot[i] && i % PCI_FUNCTIONS && h->slot[i - i % PCI_FUNCTIONS])
			h->slot[i - i % PCI_FUNCTIONS]->config[PCI_HEADER_TYPE] |= 0x80;
	return 0;
}

static int set_reg(struct vdev *d, const char *value, struct err *e)
{
	return pci_register_set(&((struct host *)d->state)->own, value, e);
}

static const struct vdev_option options[] = {
	{"reg", "REG=VALUE",
	 "what a register of the bridge reads, for a guest that must know it: OFFSET/SIZE or a "
	 "name "
	 "like Device_ID",
	 set_reg},
	{NULL},
};

static const struct vdev_class pci_host = {
	.name = "pci-host",
	.summary = "PCI host bridge; loc = configuration space, then the window for devices",
	.space = VDEV_MEM,
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD,
	.is_implicit = true,
	.only_with_pci = true,
	.region = {[REGION_ECAM] = {ECAM_BASE, ECAM_BYTES},
		   [REGION_WINDOW] = {WINDOW_BASE, WINDOW_BYTES},
		   [REGION_PORTS] = {0xcf8, PORTS}},
	.intr = -1,
	.state_bytes = sizeof(struct host),
	.options = options,
	.init = host_init,
	.check = host_check,
	.assemble = host_assemble,
	.route = host_route,
	.read = host_read,
	.write = host_write,
	.destroy = host_destroy,
};
VDEV_REGISTER(pci_host);
