/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog.h - what all watchdogs have in common: their `action` and their bite. Worker.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct vdev;

/* set() of the option `action`, in the words of the original. */
int watchdog_set_action(struct vdev *d, const char *value, struct err *e);
/* Nobody fed it for that long: the VM ends with CAUSE_WATCHDOG. Under the vdev's lock. */
void watchdog_bite(struct vdev *d, uint64_t limit_ms);
