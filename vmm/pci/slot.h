/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - the places of PCI bus 0, the only bus of a board: a slot is device << 3 | function. Slot 0
 * is the host bridge. Worker.
 */
#pragma once

#include <stdint.h>

enum {
	PCI_SLOTS = 256,
	PCI_FUNCTIONS = 8, /* of a device */
	PCI_DEVICES = PCI_SLOTS / PCI_FUNCTIONS,
	PCI_LINES = 4,
	PCI_FIRST_LINE = 16, /* of the I/O APIC: the lines above those of ISA */
};

static inline unsigned pci_slot_device(int slot)
{
	return (unsigned)slot / PCI_FUNCTIONS;
}

static inline unsigned pci_slot_function(int slot)
{
	return (unsigned)slot % PCI_FUNCTIONS;
}

/* The interrupt line behind a pin (0 = INTA) of a device: neighbours use different ones. */
static inline int pci_slot_line(unsigned device, unsigned pin)
{
	return PCI_FIRST_LINE + (int)((device + pin) % PCI_LINES);
}
