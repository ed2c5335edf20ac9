/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - what a VM's worker may use of the host: from its policy and its plan to numbers, and
 * the words for what holds it to them. It decides and never acts. Supervisor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/message.h"
#include "schemas/policy.h"

/* What is limited; a row of limits.def each. */
enum limit {
#define LIMIT(id, name, controller) LIMIT_##id,
#include "schemas/limits.def"
#undef LIMIT
	LIMIT_COUNT
};

/* What holds a worker to it, the weakest first. */
enum limiter {
#define LIMITER(id, lower, what) LIMITER_##id,
#include "schemas/limits.def"
#undef LIMITER
	LIMITER_COUNT
};

enum { LIMITS_TEXT = 96, LIMITS_DISKS = 16 };

/* The block devices that the disks of a VM lie on: a limit is kept on each of them. */
struct limits_disks {
	uint64_t device[LIMITS_DISKS]; /* dev_t */
	unsigned n;
	bool has_other; /* one on no device that the kernel counts, or beyond LIMITS_DISKS */
};

struct limits {
	uint64_t memory_bytes; /* of the guest and its worker together */
	uint64_t cpu_weight;   /* 1 to 10000; 100 is everybody's */
	uint64_t cpu_quota_us; /* in each period, of all its threads; 0 = no limit */
	uint64_t cpu_period_us;
	uint64_t io_weight; /* 1 to 10000 */
	/* A second, on each of the disks' devices; 0 = no limit. */
	uint64_t read_bytes, write_bytes, reads, writes;
	struct limits_disks disks;
	uint64_t pids; /* processes and threads */
};

/* Who holds what, by enum limit. */
struct limits_held {
	enum limiter by[LIMIT_COUNT];
	bool wants_io_max;    /* else nobody asked for LIMIT_IO_MAX */
	bool wants_partition; /* nor for LIMIT_PARTITION */
};

/* While the worker reads its configuration: nothing of a guest is there yet. */
struct limits limits_early(const struct policy *p);
/* Of the planned machine. shared_bytes: memory of the host that is passed to the guest, which the
 * kernel charges to whoever touches it first. */
struct limits limits_of(const struct policy *p, const struct msg_plan *plan, uint64_t shared_bytes);
/* What RLIMIT_DATA and RLIMIT_NPROC hold it to from its first instruction on, whatever else does:
 * memory of its own beside the guest's, whose memfds are sealed. */
uint64_t limits_private_bytes(const struct policy *p);
uint64_t limits_own_pids(const struct policy *p);
/* ERR_RESOURCE when the policy requires more than what holds: `limits_required`. */
int limits_judge(const struct policy *p, const struct limits_held *h, struct err *e);
/* "memory=cgroup cpu=none io=none pids=rlimit" */
const char *limits_text(const struct limits_held *h, char ret[static LIMITS_TEXT]);
const char *limit_controller(enum limit l); /* of cgroup2: "memory" */
/* Its disk lies on that device; 0 = on none that the kernel counts. */
void limits_add_disk(struct limits_disks *d, uint64_t device);
/* There is something to be limited, and the policy says how. */
bool limits_want_io_max(const struct limits *l);
