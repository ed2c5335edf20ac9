/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpulist.h - sets of host CPUs as people write them, "0,2-3", and the named ones: clusters. Every
 * process: the supervisor's settings, the worker's `cpu runmask` and `cpu cluster`.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { CPULIST_CLUSTERS = 1536 };

/* "0,2-3": numbers from 0 to CPU_SETSIZE - 1, ascending ranges; at least one. */
int cpulist_read(const char *s, cpu_set_t *ret, struct err *e);
/* The same backwards, cut to cap. */
const char *cpulist_write(const cpu_set_t *set, char *ret, size_t cap);

/* Named sets are one text, "rt=2,3 io=0-1". The set of that name; 0 = there is none, -1 = malformed. */
int cpulist_cluster(const char *clusters, const char *name, cpu_set_t *ret, struct err *e);
/* Add one to the text, or ERR_INVALID with the reason: a name or a set that is none, or no room. */
int cpulist_add_cluster(char clusters[static CPULIST_CLUSTERS], const char *name, const char *cpus,
			struct err *e);
