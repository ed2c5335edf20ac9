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
