/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quota.h - how many requests each of many askers may send: token buckets, by name. qvm-api; admit.c
 * has two of these tables. Pure: time is an argument.
 *
 * A bucket is one number, the time at which it is full again, so a full one says nothing and its
 * place is free for the next name. When all QUOTA_MOST places have buckets that are not full, those
 * who find none share one: a new name is no way around the limit, and who has a place keeps it.
 *
 * Each asker has a second bucket of the same size for what ends VMs: whose script has used up the one
 * can still stop a VM.
 */
#pragma once

#include <stdint.h>

enum {
	QUOTA_MOST = 1024, /* askers that are told apart */
	QUOTA_WHO = 80,	   /* of a name, with its terminator; what is longer is cut */
};

enum quota_kind { QUOTA_COMMON, QUOTA_ENDS, QUOTA_KINDS };

struct quota_rate {
	uint32_t per_s; /* up to 1,000,000, the clock's steps; 0 = no limit */
	uint32_t burst; /* that a full bucket has, from 1 on */
};

struct quotas;

struct quotas *quotas_new(const struct quota_rate *rate);
void quotas_free(struct quotas *q);
/* One request of `who` at that monotonic time. 0: it may be; else nothing is taken, and it may be in so
 * many whole seconds, at least 1. A clock that was set back costs nobody more than a full bucket. */
uint32_t quotas_take(struct quotas *q, const char *who, enum quota_kind kind, uint64_t now_ms);
