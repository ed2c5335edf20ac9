/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/dsdt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/conf/board.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"
#include "vmm/x86/aml.h"

/* The regions of vdev `pci-host`. */
enum { HOST_ECAM, HOST_WINDOW, HOST_PORTS };

const struct vdev *dsdt_find(const struct board *b, const char *class)
{
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (!strcmp(b->vdev[i]->class->name, class))
			return b->vdev[i];
	return NULL;
}

/* Name (\_S5, Package () {5, 5, 0, 0}): the sleep type is what vmm/vdev/pm.c takes as soft off. */
static void write_s5(struct aml *a)
{
	aml_name(a, "_S5_");
	aml_package(a, 4);
	aml_number(a, 5);
	aml_number(a, 5);
	aml_number(a, 0);
	aml_number(a, 0);
	aml_close(a);
}

/* 6.2.13: every pin of every device that is there, straight to a line of the I/O APIC. */
static void write_routing(struct aml *a, const struct board *b)
{
	bool is_there[PCI_DEVICES] = {false};
	uint8_t n = 0;

	for (unsigned i = 0; i < b->n_vdevs; i++) {
		if (b->vdev[i]->slot < PCI_FUNCTIONS || is_there[pci_slot_device(b->vdev[i]->slot)])
			continue;
		is_there[pci_slot_device(b->vdev[i]->slot)] = true;
		n++;
	}
	aml_name(a, "_PRT");
	aml_package(a, (uint8_t)(n * PCI_LINES));
	for (uint32_t device = 0; device < PCI_DEVICES; device++) {
		for (unsigned pin = 0; is_there[device] && pin < PCI_LINES; pin++) {
			aml_package(a, 4);
			aml_number(a, device << 16 | 0xffff);
			aml_number(a, pin);
			aml_number(a, 0);
			aml_number(a, (uint32_t)pci_slot_line(device, pin));
			aml_close(a);
		}
	}
	aml_close(a);
}

static void write_bridge(struct aml *a, const struct board *b, const struct vdev *host)
{
	const struct vdev_region *r = host->region;

	aml_scope(a, "\\_SB_");
	aml_device(a, "PCI0");
	aml_name(a, "_HID");
	aml_eisa(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_number(a, 0);
	aml_name(a, "_BBN");
	aml_number(a, 0);
	aml_name(a, "_CRS");
	aml_resources(a);
	aml_pass_buses(a, 0, 0);
	aml_take_ports(a, (uint16_t)r[HOST_PORTS].base, (uint8_t)r[HOST_PORTS].bytes);
	aml_pass_memory(a, (uint32_t)r[HOST_WINDOW].base, (uint32_t)r[HOST_WINDOW].bytes);
	aml_close_resources(a);
	if (dsdt_find(b, "ioapic"))
		write_routing(a, b);
	aml_close(a);
	/* PCI Firmware 3.0, 4.1.2: what the MCFG names is reserved as a motherboard resource. */
	aml_device(a, "MCFG");
	aml_name(a, "_HID");
	aml_eisa(a, "PNP0C02");
	aml_name(a, "_UID");
	aml_number(a, 0);
	aml_name(a, "_CRS");
	aml_resources(a);
	aml_take_memory(a, (uint32_t)r[HOST_ECAM].base, (uint32_t)r[HOST_ECAM].bytes);
	aml_close_resources(a);
	aml_close(a);
	aml_close(a);
}

/* An id of QEMU's, which no EISA id can hold. */
static void write_pvpanic(struct aml *a, const struct vdev *d)
{
	aml_scope(a, "\\_SB_");
	aml_device(a, "PEVT");
	aml_name(a, "_HID");
	aml_string(a, "QEMU0001");
	aml_name(a, "_STA");
	aml_number(a, 0xf); /* 6.3.7: present, enabled, shown, working */
	aml_name(a, "_CRS");
	aml_resources(a);
	if (d->region[0].space == VDEV_IO)
		aml_take_ports(a, (uint16_t)d->region[0].base, (uint8_t)d->region[0].bytes);
	else
		aml_take_memory(a, (uint32_t)d->region[0].base, (uint32_t)d->region[0].bytes);
	aml_close_resources(a);
	aml_close(a);
	aml_close(a);
}

static void write_mmio(struct aml *a, const struct vdev *d, unsigned number)
{
	const struct vdev_region *r = &d->region[0];
	char name[5];

	snprintf(name, sizeof name, "VR%02X", number & 0xff);
	aml_device(a, name);
	aml_name(a, "_HID");
	aml_string(a, d->class->mmio_hid);
	aml_name(a, "_UID");
	aml_number(a, number);
	aml_name(a, "_CRS");
	aml_resources(a);
	if (r->base + r->bytes <= UINT32_MAX)
		aml_take_memory(a, (uint32_t)r->base, (uint32_t)r->bytes);
	else
		aml_take_memory_64(a, r->base, r->bytes);
	aml_take_line(a, (uint32_t)d->intr);
	aml_close_resources(a);
	aml_close(a);
}

/* Those off the bus; each has a line of its own, so there are no more than lines. */
static void write_devices(struct aml *a, const struct board *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->n_vdevs; i++) {
		const struct vdev *d = b->vdev[i];

		if (!d->class->mmio_hid || vdev_is_function(d) || d->intr < 0)
			continue;
		if (n == 0)
			aml_scope(a, "\\_SB_");
		write_mmio(a, d, n++);
	}
	if (n)
		aml_close(a);
}

void dsdt_write(const struct board *b, struct aml *ret)
{
	const struct vdev *host = dsdt_find(b, "pci-host"), *pvpanic = dsdt_find(b, "pvpanic");

	ret->n = 0;
	ret->depth = 0;
	write_s5(ret);
	if (host)
		write_bridge(ret, b, host);
	if (pvpanic && pvpanic->region[0].base >> 32 == 0)
		write_pvpanic(ret, pvpanic);
	write_devices(ret, b);
}
