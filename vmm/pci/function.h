/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function.h - one PCI function: configuration space with an ordinary header (PCI Local Bus 3.0,
 * chapter 6), memory BARs, capability list, INTA. Worker; part of the state of its vdev.
 *
 * Locks: configuration is written under the lock of the host bridge and that of the vdev, in this
 * order, and read by the vdev under its own; so the bridge may look at BARs with its lock alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct blackbox_place;
struct pci_function;
struct vdev;

enum { PCI_CONFIG = 256, PCI_BARS = 6, PCI_BAR_LEAST = 16 };

/* Offsets of the header; the public <linux/pci_regs.h> has the fields. */
struct pci_id {
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class; /* base class, subclass, interface: 24 bits */
	uint8_t revision;
};

/* What it asks of the bus it is on. */
struct pci_bus {
	/* Drive the function's INTA; any lock of the function may be held. */
	void (*line)(struct pci_bus *b, struct pci_function *f, bool level);
};

struct pci_function {
	struct vdev *vdev;
	struct pci_bus *bus; /* NULL until the bridge is assembled */
	uint8_t config[PCI_CONFIG];
	uint8_t writable[PCI_CONFIG];		/* bits that the guest may change */
	uint32_t bar_bytes[PCI_BARS];		/* a power of two; 0 = not there */
	struct blackbox_place *place[PCI_BARS]; /* its rows in the black box; NULL = none */
	unsigned n_used; /* bytes of configuration given to header and capabilities */
	uint8_t last_capability;
	bool wants_line, has_line; /* the device's wish; what the bus was told */
	/* The BARs of this mask, wherever the guest reaches them: told by the bridge under both locks
	 * when that changes, 0 = nowhere, or in the way of another. NULL = of no interest. */
	unsigned watched_bars;
	void (*placed)(struct pci_function *f, unsigned bar, uint64_t address);
	uint64_t placed_at[PCI_BARS]; /* what was told */
	/* For what lies in a capability: before a read, after a write. NULL = nothing to do. */
	void (*before_read)(struct pci_function *f, unsigned offset, unsigned width);
	void (*after_write)(struct pci_function *f, unsigned offset, unsigned width);
};

/* An inert function: all read-only, no BAR, no interrupt. */
void pci_function_init(struct pci_function *f, struct vdev *d, const struct pci_id *id);
/* Give it what a live device has: a command register, INTA. */
void pci_function_enliven(struct pci_function *f);
/* BAR n: 32-bit memory of that many bytes, a power of two of at least PCI_BAR_LEAST. */
void pci_function_add_bar(struct pci_function *f, unsigned n, uint32_t bytes);
/* Where a BAR is; the bridge places all of them before the guest starts. */
uint32_t pci_function_bar(const struct pci_function *f, unsigned n);
void pci_function_place_bar(struct pci_function *f, unsigned n, uint32_t address);
/* Append a capability of n bytes with its two header bytes, which are filled in here; returns its
 * offset. Sizes are the caller's constants: aborts when the space is full. */
uint8_t pci_function_add_capability(struct pci_function *f, uint8_t id, unsigned bytes);
/* Little-endian fields of the configuration space. */
uint32_t pci_function_get(const struct pci_function *f, unsigned offset, unsigned width);
void pci_function_set(struct pci_function *f, unsigned offset, unsigned width, uint32_t value);
void pci_function_permit(struct pci_function *f, unsigned offset, unsigned width, uint32_t bits);

/* The guest's accesses: offset + width <= PCI_CONFIG. */
uint32_t pci_function_read(struct pci_function *f, unsigned offset, unsigned width);
void pci_function_write(struct pci_function *f, unsigned offset, unsigned width, uint32_t value);
/* True if an access lies in one of its BARs, which decode. */
bool pci_function_decodes(const struct pci_function *f, uint64_t address, unsigned width,
			  unsigned *ret_bar, uint64_t *ret_offset);
/* True if a BAR of it that decodes shares a byte with [base, base + bytes). */
bool pci_function_overlaps(const struct pci_function *f, uint64_t base, uint64_t bytes);
/* Write down in the black box where the BARs are now. */
void pci_function_tell_bars(const struct pci_function *f);
/* It may access memory and send messages. */
bool pci_function_is_master(const struct pci_function *f);
/* The device asserts INTA, or no longer. */
void pci_function_interrupt(struct pci_function *f, bool level);
