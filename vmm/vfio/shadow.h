/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shadow.h - the configuration space that a guest sees of a passed-through function, made from the real
 * one. Worker; part of the state of its vdev.
 *
 * Nothing of it is the real one afterwards: identity, class and the sizes of memory BARs are copied;
 * MSI (one vector), MSI-X and INTA are emulated; all else, known or unknown, is hidden: other
 * capabilities, I/O BARs, the expansion ROM, registers of the device's own. What the guest writes reaches the
 * device in one bit, bus mastering, which its vdev passes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/pci/function.h"

struct vfio_shadow {
	struct pci_function function;
	uint8_t msi, msix;  /* the guest's capabilities; 0 = none */
	bool has_line;	    /* INTA */
	unsigned n_vectors; /* of MSI-X */
	unsigned table_bar;
	uint32_t table; /* offset there */
};

/* `real`: PCI_CONFIG bytes of whatever the device says; bar_bytes: of the host's BARs, 0 = not there.
 * ERR_START when it cannot be shown to a guest. */
int vfio_shadow_make(struct vfio_shadow *s, struct vdev *d, const char *name, const uint8_t *real,
		     const uint64_t bar_bytes[static PCI_BARS], struct err *e);
/* Its INTA, if it has one; a board without lines is enough for a function with messages. */
int vfio_shadow_wire(struct vfio_shadow *s, const char *name, const uint8_t *real, bool has_lines,
		     struct err *e);
