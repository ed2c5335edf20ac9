/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - how the host runs the thread of a vCPU: policy, priority, CPUs. Worker; at assembly,
 * before the final filter.
 */
#pragma once

#include <pthread.h>

#include "base/err.h"

struct board_cpu;

/* What the configuration asks for, and a log line with what is in force then. ERR_RESOURCE says who
 * has to permit it. */
int schedule_apply(const struct board_cpu *c, unsigned index, pthread_t thread, struct err *e);
/* Whether that would be permitted, for a dry run: nothing stays changed but the limit below. */
int schedule_probe(const struct board_cpu *c, unsigned index, struct err *e);
/* Of a lone worker, as qvmd does for its own: the limit of real-time priorities. 0, or -1 with errno. */
int schedule_raise_limit(unsigned priority);
