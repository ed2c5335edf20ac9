/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/pci/msix.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { TABLE = 0, PENDING = 0x800 };

void pci_msix_init(struct pci_msix *x, struct pci_function *f, unsigned bar, unsigned n)
{
	if (n == 0 || n > PCI_VECTORS)
		abort(); /* constants of a class */
	*x = (struct pci_msix){.function = f, .n = n};
	for (unsigned v = 0; v < n; v++)
		x->vector[v].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	pci_function_add_bar(f, bar, PCI_MSIX_BYTES);
	x->capability = pci_function_add_capability(f, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	pci_function_set(f, x->capability + PCI_MSIX_FLAGS, 2, n - 1);
	pci_function_permit(f, x->capability + PCI_MSIX_FLAGS, 2,
			    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_function_set(f, x->capability + PCI_MSIX_TABLE, 4, TABLE | bar);
	pci_function_set(f, x->capability + PCI_MSIX_PBA, 4, PENDING | bar);
}

static uint32_t flags(const struct pci_msix *x)
{
	return pci_function_get(x->function, x->capability + PCI_MSIX_FLAGS, 2);
}

bool pci_msix_is_on(const struct pci_msix *x)
{
	return flags(x) & PCI_MSIX_FLAGS_ENABLE;
}

/* Send what is pending and no longer masked. A message is a write to memory: only of a master. */
void pci_msix_update(struct pci_msix *x)
{
	struct vdev *d = x->function->vdev;

	if (!pci_msix_is_on(x) || (flags(x) & PCI_MSIX_FLAGS_MASKALL) ||
	    !pci_function_is_master(x->function))
		return;
	for (unsigned v = 0; v < x->n; v++) {
		if (!(x->pending >> v & 1) || (x->vector[v].control & PCI_MSIX_ENTRY_CTRL_MASKBIT))
			continue;
		x->pending &= ~(UINT32_C(1) << v);
		machine_message(d->machine, d, x->vector[v].address, x->vector[v].data);
	}
}

void pci_msix_raise(struct pci_msix *x, unsigned v)
{
	if (v >= x->n || !pci_msix_is_on(x))
		return;
	x->pending |= UINT32_C(1) << v;
	pci_msix_update(x);
}

static uint32_t read_dword(const struct pci_msix_vector *vector, unsigned n, uint64_t offset)
{
	uint64_t v = offset / PCI_MSIX_ENTRY_SIZE;

	if (v >= n)
		return 0;
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR: return (uint32_t)vector[v].address;
	case PCI_MSIX_ENTRY_UPPER_ADDR: return (uint32_t)(vector[v].address >> 32);
	case PCI_MSIX_ENTRY_DATA: return vector[v].data;
	default: return vector[v].control;
	}
}

static void write_dword(struct pci_msix_vector *vector, unsigned n, uint64_t offset, uint32_t value)
{
	uint64_t v = offset / PCI_MSIX_ENTRY_SIZE;

	if (v >= n)
		return;
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		vector[v].address = vector[v].address >> 32 << 32 | (value & ~3u);
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		vector[v].address = (uint64_t)value << 32 | (uint32_t)vector[v].address;
		break;
	case PCI_MSIX_ENTRY_DATA: vector[v].data = value; break;
	default: vector[v].control = value & PCI_MSIX_ENTRY_CTRL_MASKBIT; break;
	}
}

uint64_t pci_msix_read_table(const struct pci_msix_vector *vector, unsigned n, uint64_t offset,
			     unsigned width)
{
	uint64_t value;

	if (width < 4 || offset % width)
		return 0;
	value = read_dword(vector, n, offset);
	return width == 8 ? value | (uint64_t)read_dword(vector, n, offset + 4) << 32 : value;
}

void pci_msix_write_table(struct pci_msix_vector *vector, unsigned n, uint64_t offset,
			  unsigned width, uint64_t value)
{
	if (width < 4 || offset % width)
		return;
	write_dword(vector, n, offset, (uint32_t)value);
	if (width == 8)
		write_dword(vector, n, offset + 4, (uint32_t)(value >> 32));
}

uint64_t pci_msix_read(const struct pci_msix *x, uint64_t offset, unsigned width)
{
	if (offset == PENDING && (width == 4 || width == 8))
		return x->pending;
	return pci_msix_read_table(x->vector, x->n, offset, width);
}

void pci_msix_write(struct pci_msix *x, uint64_t offset, unsigned width, uint64_t value)
{
	if (width < 4 || offset % width)
		return;
	pci_msix_write_table(x->vector, x->n, offset, width, value);
	pci_msix_update(x);
}
