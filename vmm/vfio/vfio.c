/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vfio/vfio.h"

#include <linux/pci_regs.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/vfio.h"
#include "schemas/message.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"
#include "vmm/vfio/device.h"
#include "vmm/vfio/message.h"
#include "vmm/vfio/shadow.h"

enum { PAGE = 4096, PARTS = 2 };
enum { WANTED_CONTAINER, WANTED_FUNCTION }; /* in this order: base/vfio.h */

struct passed {
	struct vfio_device device;
	struct vfio_shadow shadow;
	struct vfio_messages messages;
	/* What of each BAR is mapped: before and behind the pages of the MSI-X table. */
	struct part {
		uint64_t from, bytes;
		void *host;
		unsigned slot;
	} part[PCI_BARS][PARTS];
};

static struct passed *of_function(struct pci_function *f)
{
	return (struct passed *)((char *)f - offsetof(struct passed, shadow.function));
}

int vfio_give(struct vdev *d, const char *name, struct err *e)
{
	char path[64];

	snprintf(path, sizeof path, VFIO_WANT "%.20s", name);
	if (vdev_want(d, WANT_VFIO, VFIO_CONTAINER, e) < 0)
		return -1;
	return vdev_want(d, WANT_PCI, path, e);
}

static int passed_check(struct vdev *d, struct err *e)
{
	return d->n_wants ? 0 : err_set(e, CONFIG, "this `pass` gives the guest nothing");
}

/* --- what the guest does --- */

/* The guest's bit, and memory, which it switches in the shadow: VFIO takes mappings away otherwise. */
static void set_command(struct passed *s)
{
	vfio_device_write(
		&s->device, &s->device.config, PCI_COMMAND, 2,
		PCI_COMMAND_MEMORY |
			(pci_function_is_master(&s->shadow.function) ? PCI_COMMAND_MASTER : 0));
}

/* 6.2.3: whether it asserts its line, which a driver that shares the line may ask. */
static void before_read(struct pci_function *f, unsigned offset, unsigned width)
{
	struct passed *s = of_function(f);
	uint64_t real;

	if (!s->shadow.has_line || offset > PCI_STATUS || offset + width <= PCI_STATUS)
		return;
	real = vfio_device_read(&s->device, &s->device.config, PCI_STATUS, 2);
	f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	f->config[PCI_STATUS] |= real & PCI_STATUS_INTERRUPT;
}

static void after_write(struct pci_function *f, unsigned offset, unsigned width)
{
	struct passed *s = of_function(f);
	struct err e;

	if (offset < PCI_COMMAND + 2 && offset + width > PCI_COMMAND)
		set_command(s);
	if (vfio_messages_update(&s->messages, &e) < 0)
		machine_end_by(f->vdev->machine, CAUSE_VDEV_ERROR, 0, e.msg);
}

/* Where KVM refuses, for BARs that the guest lays over each other, accesses exit as in the table. */
static void placed(struct pci_function *f, unsigned bar, uint64_t at)
{
	struct passed *s = of_function(f);
	struct err ignored;

	for (unsigned i = 0; i < PARTS; i++) {
		const struct part *p = &s->part[bar][i];

		if (p->host)
			(void)machine_place(f->vdev->machine, p->slot, at + p->from,
					    at ? p->bytes : 0, p->host, true, &ignored);
	}
}

/* Offset in the table of MSI-X, if the access begins there. */
static bool is_table(const struct passed *s, unsigned bar, uint64_t offset, uint64_t *ret)
{
	const struct vfio_shadow *w = &s->shadow;

	*ret = offset - w->table;
	return w->n_vectors && bar == w->table_bar && offset >= w->table &&
	       *ret < (uint64_t)w->n_vectors * PCI_MSIX_ENTRY_SIZE;
}

static uint64_t passed_read(struct vdev *d, unsigned bar, uint64_t offset, unsigned width)
{
	struct passed *s = d->state;
	uint64_t at;

	if (is_table(s, bar, offset, &at))
		return vfio_messages_read(&s->messages, at, width);
	return vfio_device_read(&s->device, &s->device.bar[bar], offset, width);
}

static void passed_write(struct vdev *d, unsigned bar, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct passed *s = d->state;
	uint64_t at;

	if (is_table(s, bar, offset, &at))
		vfio_messages_write(&s->messages, at, width, value);
	else
		vfio_device_write(&s->device, &s->device.bar[bar], offset, width, value);
}

static void ready(struct vdev *d, int fd, uint32_t events)
{
	struct passed *s = d->state;

	(void)events;
	vfio_messages_signal(&s->messages, fd);
}

/* --- its life --- */

static void map_part(struct vdev *d, unsigned bar, unsigned i, uint64_t from, uint64_t to)
{
	struct passed *s = d->state;
	const struct vfio_window *w = &s->device.bar[bar];
	void *p;

	if (from >= to)
		return;
	p = mmap(NULL, to - from, PROT_READ | PROT_WRITE, MAP_SHARED, s->device.fd,
		 (off_t)(w->offset + from));
	if (p == MAP_FAILED)
		return; /* each access exits then, and is as good */
	s->part[bar][i] = (struct part){from, to - from, p, machine_slot(d->machine)};
	s->shadow.function.watched_bars |= 1u << bar;
}

static void map_bars(struct vdev *d)
{
	struct passed *s = d->state;
	const struct vfio_shadow *w = &s->shadow;
	uint64_t first = w->table & ~(uint64_t)(PAGE - 1);
	uint64_t behind =
		(w->table + w->n_vectors * PCI_MSIX_ENTRY_SIZE + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint64_t bytes = w->function.bar_bytes[n];

		if (!s->device.bar[n].can_map || bytes % PAGE || bytes != s->device.bar[n].bytes)
			continue;
		if (!w->n_vectors || n != w->table_bar) {
			map_part(d, n, 0, 0, bytes);
			continue;
		}
		map_part(d, n, 0, 0, first);
		map_part(d, n, 1, behind, bytes);
	}
}

static int show(struct vdev *d, struct err *e)
{
	struct passed *s = d->state;
	uint64_t bar_bytes[PCI_BARS];
	uint8_t real[PCI_CONFIG];

	for (unsigned i = 0; i < PCI_CONFIG; i++)
		real[i] = (uint8_t)vfio_device_read(&s->device, &s->device.config, i, 1);
	for (unsigned n = 0; n < PCI_BARS; n++)
		bar_bytes[n] = s->device.bar[n].bytes;
	if (vfio_shadow_make(&s->shadow, d, s->device.name, real, bar_bytes, e) < 0 ||
	    vfio_shadow_wire(&s->shadow, s->device.name, real, machine_has_lines(d->machine), e) <
		    0)
		return -1;
	s->shadow.function.before_read = before_read;
	s->shadow.function.after_write = after_write;
	s->shadow.function.placed = placed;
	return 0;
}

static int passed_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct passed *s = d->state;
	const char *name = vfio_name(d->want[WANTED_FUNCTION].path);

	if (!name)
		return err_set(e, INTERNAL, "a PCI function without a name");
	if (vfio_device_open(&s->device, name, d->want[WANTED_CONTAINER].fd,
			     d->want[WANTED_FUNCTION].fd, e) < 0 ||
	    show(d, e) < 0)
		return -1;
	set_command(s);
	map_bars(d);
	if (vfio_device_map_ram(&s->device, m, e) < 0 ||
	    vfio_messages_open(&s->messages, &s->device, &s->shadow, ready, e) < 0)
		return -1;
	d->pci = &s->shadow.function;
	return 0;
}

static void passed_stop(struct vdev *d)
{
	struct passed *s = d->state;

	vfio_messages_close(&s->messages);
	vfio_device_close(&s->device, d->machine);
}

static void passed_destroy(struct vdev *d)
{
	struct passed *s = d->state;

	for (unsigned n = 0; n < PCI_BARS; n++)
		for (unsigned i = 0; i < PARTS; i++)
			if (s->part[n][i].host)
				munmap(s->part[n][i].host, s->part[n][i].bytes);
}

const struct vdev_class vfio_class = {
	.name = "pass",
	.pins_ram = true,
	.summary = "PCI function of the host",
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD | VDEV_QWORD,
	.is_pci = true,
	.is_pass = true,
	.intr = -1,
	.state_bytes = sizeof(struct passed),
	.check = passed_check,
	.assemble = passed_assemble,
	.stop = passed_stop,
	.read = passed_read,
	.write = passed_write,
	.destroy = passed_destroy,
	.syscalls = vfio_device_syscalls,
	.has_iothread = true,
};
