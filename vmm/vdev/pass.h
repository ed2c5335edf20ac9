/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - what `pass` gives a guest: files of the host, its memory by physical addresses and memory of
 * UIO devices, mapped where the guest finds them without an exit; ports of the host or of such devices,
 * which exit; the devices' interrupt. Worker.
 *
 * On the board it is a vdev that answers for its ports alone, of a class that `vdev NAME` does not reach:
 * so overlaps, host resources, the plan and the black box know it by what they do for every vdev.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/vdev/vdev.h"

extern const struct vdev_class pass_class;

/* One `loc`: `bytes` of what is at `path` from `offset` on, at `base`; whole pages of memory. */
struct pass_place {
	enum vdev_space space;
	uint64_t base, bytes, offset;
	bool is_writable;
	uint32_t kind; /* enum want_kind: PASS, PASS_READ, MEM, MEM_READ, PORTS, UIO, UIO_BAR */
	unsigned uio;  /* number of the device, of the last two */
	const char *path;
};
/* ERR_CONFIG when the vdev has as many as it takes, the path is too long, or it is a second device. */
int pass_add(struct vdev *d, const struct pass_place *p, struct err *e);
/* The interrupt of that UIO device is the vdev's `intr`. */
int pass_interrupt(struct vdev *d, unsigned uio, struct err *e);
