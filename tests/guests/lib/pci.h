/* SPDX-License-Identifier: Apache-2.0 */
/* pci.h - configuration space of PCI bus 0 through ports 0xcf8 and 0xcfc. Guests. */
#pragma once

#include <stdint.h>

#include "port.h"

enum { PCI_DEVICES = 32, PCI_COMMAND = 4, PCI_MEMORY = 2, PCI_MASTER = 4, PCI_BAR0 = 0x10 };
enum { PCI_INTERRUPT = 0x3c };

/* Any aligned access: offset is in bytes. */
static inline uint32_t pci_get(unsigned device, unsigned offset)
{
	port_out32(0xcf8, 0x80000000 | device << 11 | (offset & 0xfc));
	return port_in32(0xcfc) >> 8 * (offset & 3);
}

static inline void pci_set8(unsigned device, unsigned offset, uint8_t value)
{
	port_out32(0xcf8, 0x80000000 | device << 11 | (offset & 0xfc));
	port_out8((uint16_t)(0xcfc + (offset & 3)), value);
}

static inline void pci_set16(unsigned device, unsigned offset, uint16_t value)
{
	port_out32(0xcf8, 0x80000000 | device << 11 | (offset & 0xfc));
	port_out16((uint16_t)(0xcfc + (offset & 3)), value);
}

static inline void pci_set32(unsigned device, unsigned offset, uint32_t value)
{
	port_out32(0xcf8, 0x80000000 | device << 11 | (offset & 0xfc));
	port_out32(0xcfc, value);
}

/* The device with that vendor (low half) and device id, or -1. */
static inline int pci_find(uint32_t id)
{
	for (unsigned device = 0; device < PCI_DEVICES; device++)
		if (pci_get(device, 0) == id)
			return (int)device;
	return -1;
}
