/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msix.h - message-signalled interrupts of a PCI function (PCI Local Bus 3.0, 6.8.2): the capability,
 * and a BAR of its own with the table and the pending bits. Worker; part of the state of a vdev, under
 * its lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/pci/function.h"

enum { PCI_VECTORS = 16, PCI_MSIX_BYTES = 4096 };

/* An entry of the table (6.8.2.6 to 6.8.2.9). */
struct pci_msix_vector {
	uint64_t address;
	uint32_t data, control;
};

struct pci_msix {
	struct pci_function *function;
	uint8_t capability;
	unsigned n;
	struct pci_msix_vector vector[PCI_VECTORS];
	uint32_t pending;
};

/* n vectors, 1 to PCI_VECTORS, in BAR `bar`, which is made here. Aborts outside of these. */
void pci_msix_init(struct pci_msix *x, struct pci_function *f, unsigned bar, unsigned n);
/* The guest has chosen messages instead of INTA. */
bool pci_msix_is_on(const struct pci_msix *x);
/* Send vector v, or keep it pending while it is masked; one that does not exist is ignored. */
void pci_msix_raise(struct pci_msix *x, unsigned v);
/* The guest's accesses to the BAR: dwords and quadwords (6.8.2); others read 0 and are dropped. */
uint64_t pci_msix_read(const struct pci_msix *x, uint64_t offset, unsigned width);
void pci_msix_write(struct pci_msix *x, uint64_t offset, unsigned width, uint64_t value);
/* The same for a table of n vectors alone, wherever it lies: behind its end nothing is there. */
uint64_t pci_msix_read_table(const struct pci_msix_vector *vector, unsigned n, uint64_t offset,
			     unsigned width);
void pci_msix_write_table(struct pci_msix_vector *vector, unsigned n, uint64_t offset,
			  unsigned width, uint64_t value);
/* After a write to the configuration: what was masked may be due. */
void pci_msix_update(struct pci_msix *x);
