/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uio.h - the interrupt of a UIO device of the host, held as a line of the guest (base/uio.h). Worker;
 * part of the state of its vdev, under its lock.
 *
 * The device is masked on the host from each interrupt until the guest has ended its service of the
 * line, before the board stands, and when it ends: what the guest does costs itself interrupts only.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/iothread.h"

struct uio_line {
	struct iothread thread; /* .vdev = NULL: not open */
	struct machine_held held;
	int uio_fd, arm_fd; /* borrowed */
};

/* The vdev's `intr` is the line. `ready` calls uio_line_signal(). */
int uio_line_open(struct uio_line *l, struct vdev *d, int uio_fd, int arm_fd, iothread_ready *ready,
		  struct err *e);
/* Let the device interrupt; false: it shall not. */
void uio_line_arm(const struct uio_line *l, bool is_on);
void uio_line_signal(struct uio_line *l, int fd);
void uio_line_close(struct uio_line *l); /* never opened is fine */
