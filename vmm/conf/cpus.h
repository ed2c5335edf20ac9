/* SPDX-License-Identifier: Apache-2.0 */
/* cpus.h - checks of all vCPUs together. Worker; reports into the findings of one conf_read(). */
#pragma once

struct draft;
struct findings;

/* All of them share one partition, or none has any: cgroup2 does not divide a process's threads among
 * cgroups with memory of their own; the board gets its name. A warning of two on one CPU of which one
 * would never run beside the other. */
void cpus_check(struct draft *d, struct findings *f);
