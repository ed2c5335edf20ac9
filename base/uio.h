/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uio.h - a device of the host for a guest by UIO (the kernel's Documentation/driver-api/uio-howto.rst):
 * its memory, ports and interrupt, and no DMA, which nothing would hold. Supervisor (in an opener), lone
 * worker: they open, the worker that gets the descriptors drives.
 *
 * A device has one owner, by a lock on the description of /dev/uioN that the worker gets. Its interrupt
 * counts up that file; the driver or, for a PCI function of uio_pci_generic, the function is masked
 * then, until somebody arms it again.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* The path of a WANT_UIO is this and the number N. */
#define UIO_WANT "/dev/uio"
/* The path of a WANT_UIO_BAR: those of a function that uio_pci_generic has, as sysfs shows them. */
#define UIO_BAR_WANT "/sys/class/uio/uio%u/device/resource%u"
/* The path of a WANT_UIO_ARM. */
#define UIO_ARM_WANT "/dev/uio%u (interrupts)"

enum { UIO_MOST = 1023, UIO_MAPS = 5, UIO_BARS = 6 };

/* Numbers of such paths, -1 when it is none; they may be hostile ones. */
int uio_of(const char *path);
int uio_of_bar(const char *path, unsigned *ret_bar);
int uio_of_arm(const char *path);
/* Is it there, with a driver whose interrupts can be given away? ERR_RESOURCE says what to do. `sys` is
 * "/sys". */
int uio_probe(const char *sys, unsigned n, struct err *e);
/* The device: mmap() of map M at M pages, read() of 4 bytes waits for its interrupt. */
int uio_open(unsigned n, int *ret_fd, struct err *e);
/* A BAR: mmap() of memory, pread() and pwrite() of ports. */
int uio_open_bar(unsigned n, unsigned bar, int *ret_fd, struct err *e);
/* Where a uint32_t of 1 lets the device interrupt, 0 forbids it. For uio_pci_generic this is a pipe to
 * a process of its own, which reaches that one bit of the function for us (a descriptor of its
 * configuration would reach all of it, and DMA), until the last copy of *ret_fd is closed. */
int uio_open_arm(unsigned n, int *ret_fd, struct err *e);
