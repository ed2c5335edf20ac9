/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_vdev - a hostile guest against every vdev: sequences of reads, writes, input, button, alarms.
 * The machine's services are answered here, the others in machine.c.
 *
 * Input: bytes 0 of the class, then steps of 8 bytes: what, region, offset, width, value (4 bytes).
 * Of an event the region's byte says which: even the button, odd the vdev's alarm.
 */
#include <stdlib.h>
#include <string.h>

#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"

struct machine {
	unsigned n_ends, n_bytes;
};

enum { STEP = 8 };
enum what { READ, WRITE, INPUT, EVENT, WHATS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Enough for a virtqueue, whatever the guest makes of it. */
static _Alignas(4096) uint8_t memory[16 * 1024];

void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m;
	return gpa < sizeof memory && bytes <= sizeof memory - gpa ? memory + gpa : NULL;
}

uint64_t machine_ram_from(struct machine *m, uint64_t gpa)
{
	(void)m;
	return gpa < sizeof memory ? sizeof memory - gpa : 0;
}

void machine_end_by(struct machine *m, enum cause cause, uint32_t exit_code, const char *detail)
{
	if (cause <= CAUSE_NONE || cause >= CAUSE_COUNT || exit_code > 63 || !detail[0])
		abort();
	m->n_ends++;
}

void machine_console(struct machine *m, const char *bytes, size_t n)
{
	m->n_bytes += (unsigned)n + (unsigned char)bytes[0];
}

static const struct vdev_class *pick(uint8_t byte)
{
	const struct vdev_class *all[64], *c;
	unsigned n = 0;

	for (unsigned i = 0; n < 64 && (c = vdev_class_next(&i));)
		if ((c->region[0].bytes || c->is_pci) && (c->read || c->write))
			all[n++] = c;
	return all[byte % n];
}

/* As the host bridge does it: configuration space, and the BARs, that are there. */
static void access_function(struct vdev *d, const uint8_t *s)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	unsigned bar = s[1] & 1, width = widths[s[3] % 4];
	uint64_t offset = (s[1] >> 4) * UINT64_C(0x1000) + s[2];
	uint32_t value;

	memcpy(&value, s + 4, sizeof value);
	if (s[1] & 2) {
		width = width == 8 ? 4 : width;
		if (s[2] + width > PCI_CONFIG)
			return;
		if (s[0] % WHATS == WRITE)
			pci_function_write(d->pci, s[2], width, value);
		else
			pci_function_read(d->pci, s[2], width);
	} else if (offset + width <= d->pci->bar_bytes[bar]) {
		if (s[0] % WHATS == WRITE)
			d->class->write(d, bar, offset, width, value);
		else
			d->class->read(d, bar, offset, width);
	}
}

/* As the address space does it: inside one region, in a width of the class. */
static void access_vdev(struct vdev *d, const uint8_t *s)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	unsigned region = s[1] % d->n_regions, width = widths[s[3] % 4];
	uint64_t bytes = d->region[region].bytes, offset = s[2] % bytes, got;
	uint32_t value;

	memcpy(&value, s + 4, sizeof value);
	if (!(d->class->widths & 1u << width) || offset + width > bytes)
		return;
	if (s[0] % WHATS == WRITE) {
		if (d->class->write)
			d->class->write(d, region, offset, width, value);
		return;
	}
	got = d->class->read ? d->class->read(d, region, offset, width) : 0;
	if (width < 8 && got >> (8 * width))
		abort(); /* more than was asked for */
}

static void ring(struct vdev *d)
{
	uint64_t now_ns = d->alarm_ns;

	if (!now_ns)
		return;
	d->alarm_ns = 0;
	d->class->alarm(d, now_ns);
}

static void step(struct vdev *d, const uint8_t *s)
{
	uint8_t bytes[600];

	switch (s[0] % WHATS) {
	case READ:
	case WRITE:
		if (d->pci && d->class->is_pci)
			access_function(d, s);
		else
			access_vdev(d, s);
		break;
	case INPUT:
		memset(bytes, s[4], sizeof bytes);
		vdev_input(d, bytes, (s[2] + s[3] * 256u) % sizeof bytes);
		break;
	case EVENT:
		if (s[1] & 1)
			ring(d);
		else if (d->class->button)
			d->class->button(d);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct machine m = {0};
	struct vdev *d;
	struct err e;

	if (n < 1 + STEP)
		return 0;
	d = vdev_new(pick(data[0]), 1);
	d->machine = &m;
	d->takes_console = data[0] & 0x80;
	memset(memory, data[0], sizeof memory);
	if ((d->class->check && d->class->check(d, &e) < 0) ||
	    (d->class->assemble && d->class->assemble(d, &m, &e) < 0)) {
		if (!d->class->is_pci)
			abort(); /* its defaults are sound; a disk has none */
		vdev_free(d);
		return 0;
	}
	for (size_t at = 1; at + STEP <= n; at += STEP)
		step(d, data + at);
	vdev_free(d);
	return 0;
}
