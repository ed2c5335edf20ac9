/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vfio/shadow.h"

#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdbool.h>

#include "vmm/vfio/device.h"

/* The bridge's window has 128 MiB; one BAR may take half of it, since it lies at a multiple. */
enum { BAR_MOST = 64 * 1024 * 1024, MSI_BYTES = PCI_MSI_DATA_64 + 2 };

static uint32_t get(const uint8_t *real, unsigned offset, unsigned width)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint32_t)real[offset + i] << (8 * i);
	return value;
}

/* 6.7: a list of at most 48, which a broken device may well close to a ring; 0 = it has none. */
static unsigned find_capability(const uint8_t *real, uint8_t id, unsigned bytes)
{
	unsigned at = real[PCI_CAPABILITY_LIST] & ~3u;

	if (!(get(real, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	for (int i = 0; i < 48 && at >= PCI_STD_HEADER_SIZEOF; i++) {
		if (real[at + PCI_CAP_LIST_ID] == id)
			return at <= PCI_CONFIG - bytes ? at : 0;
		at = real[at + PCI_CAP_LIST_NEXT] & ~3u;
	}
	return 0;
}

static int add_bars(struct vfio_shadow *s, const char *name, const uint8_t *real,
		    const uint64_t bar_bytes[static PCI_BARS], struct err *e)
{
	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint32_t bar = get(real, PCI_BASE_ADDRESS_0 + 4 * n, 4);
		uint64_t bytes = bar_bytes[n];

		if (!bytes || (bar & PCI_BASE_ADDRESS_SPACE_IO))
			continue;
		if (bytes > BAR_MOST || (bytes & (bytes - 1)))
			return err_set(e, START,
				       "BAR %u of PCI function '%s' has %" PRIu64
				       " bytes; a guest can be given up to %d of one",
				       n, name, bytes, BAR_MOST);
		pci_function_add_bar(&s->function, n,
				     bytes < PCI_BAR_LEAST ? PCI_BAR_LEAST : (uint32_t)bytes);
		/* Its upper half is a register of its own on the host, and nothing in the guest,
		 * where every BAR lies below 4 GiB. */
		if ((bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
			n++;
	}
	return 0;
}

/* 6.8.1: 64 bits of address, one vector, no mask bit. */
static void add_msi(struct vfio_shadow *s)
{
	struct pci_function *f = &s->function;

	s->msi = pci_function_add_capability(f, PCI_CAP_ID_MSI, MSI_BYTES);
	pci_function_set(f, s->msi + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT);
	pci_function_permit(f, s->msi + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
	pci_function_permit(f, s->msi + PCI_MSI_ADDRESS_LO, 4, ~3u);
	pci_function_permit(f, s->msi + PCI_MSI_ADDRESS_HI, 4, UINT32_MAX);
	pci_function_permit(f, s->msi + PCI_MSI_DATA_64, 2, UINT16_MAX);
}

/* 6.8.2: the table stays where it is in its BAR. One that leaves it is not shown. */
static void add_msix(struct vfio_shadow *s, const uint8_t *real, unsigned at)
{
	uint32_t table = get(real, at + PCI_MSIX_TABLE, 4), pba = get(real, at + PCI_MSIX_PBA, 4);
	unsigned bar = table & PCI_MSIX_TABLE_BIR, pba_bar = pba & PCI_MSIX_PBA_BIR;
	unsigned n = (get(real, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
	struct pci_function *f = &s->function;

	if (bar >= PCI_BARS || pba_bar >= PCI_BARS || !f->bar_bytes[bar] ||
	    !f->bar_bytes[pba_bar] || (table & PCI_MSIX_TABLE_OFFSET) > f->bar_bytes[bar] ||
	    n * PCI_MSIX_ENTRY_SIZE > f->bar_bytes[bar] - (table & PCI_MSIX_TABLE_OFFSET))
		return;
	s->table_bar = bar;
	s->table = table & PCI_MSIX_TABLE_OFFSET;
	s->n_vectors = n < VFIO_DEVICE_VECTORS ? n : VFIO_DEVICE_VECTORS;
	s->msix = pci_function_add_capability(f, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	pci_function_set(f, s->msix + PCI_MSIX_FLAGS, 2, s->n_vectors - 1);
	pci_function_permit(f, s->msix + PCI_MSIX_FLAGS, 2,
			    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_function_set(f, s->msix + PCI_MSIX_TABLE, 4, table);
	pci_function_set(f, s->msix + PCI_MSIX_PBA, 4, pba);
}

int vfio_shadow_make(struct vfio_shadow *s, struct vdev *d, const char *name, const uint8_t *real,
		     const uint64_t bar_bytes[static PCI_BARS], struct err *e)
{
	const struct pci_id id = {
		.vendor = (uint16_t)get(real, PCI_VENDOR_ID, 2),
		.device = (uint16_t)get(real, PCI_DEVICE_ID, 2),
		.subvendor = (uint16_t)get(real, PCI_SUBSYSTEM_VENDOR_ID, 2),
		.subdevice = (uint16_t)get(real, PCI_SUBSYSTEM_ID, 2),
		.class = get(real, PCI_CLASS_PROG, 3),
		.revision = real[PCI_REVISION_ID],
	};
	unsigned at;

	*s = (struct vfio_shadow){0};
	if ((real[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL)
		return err_set(e, START, "PCI function '%s' is a bridge: pass a function behind it",
			       name);
	if (id.vendor == 0xffff)
		return err_set(e, START, "PCI function '%s' does not answer", name);
	pci_function_init(&s->function, d, &id);
	pci_function_enliven(&s->function);
	pci_function_set(&s->function, PCI_INTERRUPT_PIN, 1, 0);
	if (add_bars(s, name, real, bar_bytes, e) < 0)
		return -1;
	if (find_capability(real, PCI_CAP_ID_MSI, PCI_MSI_DATA_32 + 2))
		add_msi(s);
	at = find_capability(real, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	if (at)
		add_msix(s, real, at);
	return 0;
}

/* Whichever pin it has on the host: in the guest each function drives INTA of its device. */
int vfio_shadow_wire(struct vfio_shadow *s, const char *name, const uint8_t *real, bool has_lines,
		     struct err *e)
{
	if (!real[PCI_INTERRUPT_PIN] || (!has_lines && (s->msi || s->msix)))
		return 0;
	if (!has_lines)
		return err_set(e, START,
			       "PCI function '%s' interrupts by a line alone, and this board has "
			       "none: add `vdev ioapic`",
			       name);
	s->has_line = true;
	pci_function_set(&s->function, PCI_INTERRUPT_PIN, 1, 1);
	return 0;
}
