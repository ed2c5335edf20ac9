/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfio.h - a PCI function of the host for a guest, by VFIO (the kernel's Documentation/driver-api/
 * vfio.rst). Supervisor, lone worker: they open, the worker that gets the descriptors drives.
 *
 * A function is reached through a container, which holds what it may access by DMA, and its IOMMU
 * group, which VFIO gives to one owner at a time. The descriptor of the function keeps both: no
 * descriptor of the group, which may have other functions, leaves this file.
 */
#pragma once

#include "base/err.h"

/* The path of a WANT_PCI is this and the function's name, DOMAIN:BUS:DEVICE.FUNCTION. */
#define VFIO_WANT "/sys/bus/pci/devices/"
/* The path of a WANT_VFIO, which comes right before it: the container. */
#define VFIO_CONTAINER "/dev/vfio/vfio"

/* "0000:00:04.0" of such a path, or NULL when it is none: the path may be a hostile one. */
const char *vfio_name(const char *path);
/* Could the function be given away? *ret_group = the number of its IOMMU group. `sys` is "/sys".
 * ERR_RESOURCE says what to do. */
int vfio_probe(const char *sys, const char *name, unsigned *ret_group, struct err *e);
/* A container for nothing yet. The caller owns *ret_fd, like that of the next. */
int vfio_container(int *ret_fd, struct err *e);
/* Put the function into the container, and open it. May take the time of a function's reset, about
 * 100 ms. */
int vfio_open(const char *name, int container_fd, int *ret_fd, struct err *e);
