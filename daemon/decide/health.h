/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - is a worker's loop alive? From its heartbeat counter and the time; it decides and
 * never acts. Supervisor. Owned by struct vm, looked at by watch.c.
 *
 * Busy is not dead: a guest that spins keeps the loop beating. Time in which the supervisor itself
 * did not look (stopped, or the whole host was) is not charged to the worker.
 */
#pragma once

#include <stdint.h>

#include "schemas/lifecycle.h"
#include "schemas/policy.h"

struct health_watch {
	uint64_t beats;	     /* the counter when last looked at */
	uint64_t changed_ms; /* when it was last seen to change */
	uint64_t looked_ms;
};

void health_begin(struct health_watch *h, uint64_t beats, uint64_t now_ms);
/* One look. tick_ms is the time between two looks when all goes well. */
enum health health_judge(struct health_watch *h, const struct policy *p, uint64_t beats,
			 uint64_t tick_ms, uint64_t now_ms);
