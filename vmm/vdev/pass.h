/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - what `pass` gives a guest: host files, mapped where the guest finds them without an exit.
 * Worker.
 *
 * On the board it is a vdev that answers nothing itself, of a class that `vdev NAME` does not reach:
 * so overlaps, host resources, the plan and the black box know it by what they do for every vdev.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct vdev;
struct vdev_class;

extern const struct vdev_class pass_class;

/* One `loc`: `bytes` of the file from `offset` on, at gpa; whole pages. ERR_CONFIG when the vdev has
 * as many as it takes, or the path is too long. */
struct pass_place {
	uint64_t gpa, bytes, offset;
	bool is_writable;
	const char *path;
};
int pass_add(struct vdev *d, const struct pass_place *p, struct err *e);
