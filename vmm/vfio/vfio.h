/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfio.h - `pass loc pci:GUEST=pci:HOST`: a PCI function of the host on the guest's bus. Worker.
 *
 * A vdev of a class that `vdev NAME` does not reach. The guest's accesses to whole pages of its memory
 * BARs go to the device without an exit, wherever the guest puts them; its DMA reaches the guest's RAM
 * and nothing else; its messages come as the guest has programmed them.
 */
#pragma once

#include "base/err.h"

struct vdev;
struct vdev_class;

extern const struct vdev_class vfio_class;

/* The host's function, "0000:00:04.0", once. */
int vfio_give(struct vdev *d, const char *name, struct err *e);
