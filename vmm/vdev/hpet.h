/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpet.h - what the ACPI table of an HPET says of it (IA-PC HPET 1.0a, 3.2.4). Worker; assembly only.
 */
#pragma once

#include <stdint.h>

struct vdev;

/* The event timer block id: the lower half of the capabilities. */
uint32_t hpet_block_id(const struct vdev *d);
