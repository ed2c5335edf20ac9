/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - how well a VM does: three signals that are never merged. Its process, known by the pidfd;
 * its worker, by the heartbeat of its loop and the time that a vCPU spends in one exit handler; its
 * guest, by the signs of life that it gives. From what the black box shows and the time to a verdict;
 * it decides and never acts. Supervisor. Owned by struct vm, looked at by watch.c.
 *
 * Busy is not dead: a guest that spins keeps the loop beating, one that leaves for the host all the
 * time never stays there. Time in which the supervisor itself did not look (stopped, or the whole host
 * was) is charged to nobody. A signal is suspect from half of its deadline on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/cause.h"
#include "schemas/lifecycle.h"
#include "schemas/policy.h"

enum { HEALTH_WHY = 128 };

/* A value that should change, and when it was last seen to. */
struct health_mark {
	uint64_t value, changed_ms;
};

struct health_watch {
	struct health_mark beat, exit, sign;
	uint64_t looked_ms;
};

/* What the black box shows at one moment. Every number may be a lie, which harms the liar alone. */
struct health_sight {
	uint64_t beats; /* of the worker's loop */
	uint64_t
		out_ns; /* since when the vCPU that is longest out of its guest is there; 0 = none */
	uint32_t out_vcpu;
	uint64_t signs; /* of life that the guest has given; the first one arms its deadline */
	bool is_held;	/* its vCPUs stand because they were told to */
};

struct health_verdict {
	enum health process, worker, guest;
	enum cause cause;     /* of the signal that has failed; CAUSE_NONE = none has */
	char why[HEALTH_WHY]; /* what is suspect or has failed, for people; "" = all is well */
};

void health_begin(struct health_watch *h, const struct health_sight *s, uint64_t now_ms);
/* Deadlines are others now: what was quiet until now counts for none of them. */
void health_anew(struct health_watch *h, uint64_t now_ms);
/* One look at a worker whose process lives. tick_ms: between two looks when all goes well. */
struct health_verdict health_judge(struct health_watch *h, const struct policy *p,
				   const struct health_sight *s, uint64_t tick_ms, uint64_t now_ms);
/* What an end says of the three: in the safe state one of them has failed, else nobody is there. */
struct health_verdict health_of_end(enum cause cause, bool is_safe);
/* The worst of the three that are known. */
enum health health_overall(const struct health_verdict *v);
