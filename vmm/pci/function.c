/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/pci/function.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/blackbox.h"

/* The command register's bits that mean something here: there is no I/O decoding, no parity. */
enum { COMMAND_BITS = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE };

uint32_t pci_function_get(const struct pci_function *f, unsigned offset, unsigned width)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint32_t)f->config[offset + i] << (8 * i);
	return value;
}

void pci_function_set(struct pci_function *f, unsigned offset, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++)
		f->config[offset + i] = (uint8_t)(value >> (8 * i));
}

void pci_function_permit(struct pci_function *f, unsigned offset, unsigned width, uint32_t bits)
{
	for (unsigned i = 0; i < width; i++)
		f->writable[offset + i] = (uint8_t)(bits >> (8 * i));
}

void pci_function_init(struct pci_function *f, struct vdev *d, const struct pci_id *id)
{
	*f = (struct pci_function){.vdev = d, .n_used = PCI_STD_HEADER_SIZEOF};
	pci_function_set(f, PCI_VENDOR_ID, 2, id->vendor);
	pci_function_set(f, PCI_DEVICE_ID, 2, id->device);
	pci_function_set(f, PCI_REVISION_ID, 1, id->revision);
	pci_function_set(f, PCI_CLASS_PROG, 3, id->class);
	pci_function_set(f, PCI_SUBSYSTEM_VENDOR_ID, 2, id->subvendor);
	pci_function_set(f, PCI_SUBSYSTEM_ID, 2, id->subdevice);
}

void pci_function_enliven(struct pci_function *f)
{
	pci_function_permit(f, PCI_COMMAND, 2, COMMAND_BITS);
	pci_function_permit(f, PCI_CACHE_LINE_SIZE, 1, 0xff);
	pci_function_permit(f, PCI_INTERRUPT_LINE, 1, 0xff);
	pci_function_set(f, PCI_INTERRUPT_PIN, 1, 1);
}

void pci_function_add_bar(struct pci_function *f, unsigned n, uint32_t bytes)
{
	if (n >= PCI_BARS || bytes < PCI_BAR_LEAST || (bytes & (bytes - 1)))
		abort(); /* constants of a class */
	f->bar_bytes[n] = bytes;
	/* 6.2.5.1: the low bits are hardwired, by which a guest finds out the size. */
	pci_function_permit(f, PCI_BASE_ADDRESS_0 + 4 * n, 4, ~(bytes - 1));
}

uint32_t pci_function_bar(const struct pci_function *f, unsigned n)
{
	return pci_function_get(f, PCI_BASE_ADDRESS_0 + 4 * n, 4) & PCI_BASE_ADDRESS_MEM_MASK;
}

void pci_function_place_bar(struct pci_function *f, unsigned n, uint32_t address)
{
	pci_function_set(f, PCI_BASE_ADDRESS_0 + 4 * n, 4, address);
}

uint8_t pci_function_add_capability(struct pci_function *f, uint8_t id, unsigned bytes)
{
	unsigned at = f->n_used;

	f->n_used += (bytes + 3) & ~3u; /* 6.7: dword aligned */
	if (f->n_used > PCI_CONFIG)
		abort();
	f->config[at + PCI_CAP_LIST_ID] = id;
	if (f->last_capability)
		f->config[f->last_capability + PCI_CAP_LIST_NEXT] = (uint8_t)at;
	else
		f->config[PCI_CAPABILITY_LIST] = (uint8_t)at;
	f->last_capability = (uint8_t)at;
	f->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	return (uint8_t)at;
}

/* 6.2.2: the line is silent while the guest has disabled it; the status bit is not. */
static void update_line(struct pci_function *f)
{
	bool level =
		f->wants_line && !(pci_function_get(f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);

	if (f->wants_line)
		f->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	if (level == f->has_line || !f->bus)
		return;
	f->has_line = level;
	f->bus->line(f->bus, f, level);
}

void pci_function_interrupt(struct pci_function *f, bool level)
{
	f->wants_line = level;
	update_line(f);
}

uint32_t pci_function_read(struct pci_function *f, unsigned offset, unsigned width)
{
	if (f->before_read)
		f->before_read(f, offset, width);
	return pci_function_get(f, offset, width);
}

void pci_function_write(struct pci_function *f, unsigned offset, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++) {
		uint8_t mask = f->writable[offset + i], byte = (uint8_t)(value >> (8 * i));

		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~mask) | (byte & mask));
	}
	update_line(f);
	if (offset < PCI_BASE_ADDRESS_5 + 4)
		pci_function_tell_bars(f);
	if (f->after_write)
		f->after_write(f, offset, width);
}

bool pci_function_decodes(const struct pci_function *f, uint64_t address, unsigned width,
			  unsigned *ret_bar, uint64_t *ret_offset)
{
	if (!(pci_function_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return false;
	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint64_t base = pci_function_bar(f, n);

		if (address < base || address - base >= f->bar_bytes[n] ||
		    width > f->bar_bytes[n] - (address - base))
			continue;
		*ret_bar = n;
		*ret_offset = address - base;
		return true;
	}
	return false;
}

bool pci_function_overlaps(const struct pci_function *f, uint64_t base, uint64_t bytes)
{
	if (!(pci_function_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return false;
	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint64_t at = pci_function_bar(f, n);

		if (f->bar_bytes[n] && at < base + bytes && base < at + f->bar_bytes[n])
			return true;
	}
	return false;
}

void pci_function_tell_bars(const struct pci_function *f)
{
	bool is_on = pci_function_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;

	for (unsigned n = 0; n < PCI_BARS; n++) {
		if (!f->place[n])
			continue;
		atomic_store_explicit(&f->place[n]->base, pci_function_bar(f, n),
				      memory_order_relaxed);
		atomic_store_explicit(&f->place[n]->is_on, is_on, memory_order_relaxed);
	}
}

bool pci_function_is_master(const struct pci_function *f)
{
	return pci_function_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}
