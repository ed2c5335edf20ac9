/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller.h - the files of a cgroup2 folder: its controllers, its limits, what became of them.
 * Supervisor. Source: Documentation/admin-guide/cgroup-v2.rst of the kernel.
 *
 * Each function takes the folder's descriptor; nothing here knows where the folder lies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/partition.h"
#include "daemon/decide/limits.h"

/* Hand down to the folders below what of memory, cpu, io and pids it has: a bit 1 << LIMIT_* for each
 * that they have now. errno tells why the first of the others was refused, 0 = none was. */
uint32_t controller_enable(int folder);
/* What can be limited in it. */
uint32_t controller_there(int folder);
/* Take them back from the folders below. */
void controller_disable(int folder, uint32_t limits);
/* Write the limits. What takes them is held by a cgroup from now on; the rest of *ret is not touched. */
void controller_limit(int folder, const struct limits *l, struct limits_held *ret);
/* The budget of a partition, for the folders in it together: written; read back. */
bool controller_budget(int folder, const struct partition *p);
bool controller_has_budget(int folder, const struct partition *p);
/* Whoever was asked for it has limited what is read from and written to each of the disks' devices. */
bool controller_has_io_max(int folder, const struct limits *l);
/* Processes that the kernel has ended in it for lack of memory: of a descriptor of memory.events;
 * -1 when the folder has gone. */
int64_t controller_oom_kills(int events);
/* A descriptor of its memory.events; -1 without the memory controller. */
int controller_events(int folder);
