/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partition.h - the host's named CPU budgets, which VMs share: `partition NAME = WEIGHT [MOST%]` of
 * qvmd.conf. Every process: the supervisor's settings, the worker's `cpu partition`.
 *
 * All of them are one text, "rt=400/150 io=100", as they travel to a worker.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* A name is a part of a systemd slice's, in which a dash would nest. */
enum { PARTITION_NAME = 32, PARTITION_TEXT = 1024 };

struct partition {
	char name[PARTITION_NAME];
	uint32_t weight;  /* 1 to 10000; 100 is everybody's: cpu.weight of cgroup2 */
	uint32_t percent; /* of one CPU, of all its VMs together; 0 = no limit */
};

/* The budget of that name; 0 = there is none, 1 = *ret is it. */
int partition_find(const char *partitions, const char *name, struct partition *ret);
/* Add one to the text: "400", or "400 150%". ERR_INVALID with the reason. */
int partition_add(char partitions[static PARTITION_TEXT], const char *name, const char *value,
		  struct err *e);
