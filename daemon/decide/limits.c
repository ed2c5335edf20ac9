/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/limits.h"

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/str.h"

enum {
	EARLY_PIDS = 64,
	SPARE_PIDS = 32,      /* threads beside those of vCPUs and vdevs */
	PIDS_A_VDEV = 2,      /* the most that one of ours has */
	LEAST_QUOTA_US = 1000 /* less is refused by the kernel */
};
#define MIB UINT64_C(0x100000)
/* Of the worker: its text, stacks, buffers, its black box, and what the kernel keeps for it; page
 * tables of the guest (a 256th of it at the worst) come on top. */
static const uint64_t slack = 128 * MIB;
static const uint64_t early = 256 * MIB;
static const uint64_t least_private =
	64 * MIB; /* with less no worker would come to its first word */
static const uint64_t most_pids = PIDS_A_VDEV * BLACKBOX_MAX_VCPUS;
static const uint64_t most_private = 4096 * MIB; /* stacks of 4096 vCPUs are half of it */

static const char *const name_of[LIMIT_COUNT] = {
#define LIMIT(id, name, controller) [LIMIT_##id] = (name),
#include "schemas/limits.def"
#undef LIMIT
};

static const char *const controller_of[LIMIT_COUNT] = {
#define LIMIT(id, name, controller) [LIMIT_##id] = (controller),
#include "schemas/limits.def"
#undef LIMIT
};

static const char *const limiter[LIMITER_COUNT] = {
#define LIMITER(id, word, what) [LIMITER_##id] = (word),
#include "schemas/limits.def"
#undef LIMITER
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What is said by the policy alone. */
static struct limits always(const struct policy *p)
{
	uint64_t period_us = (uint64_t)p->cpu_period_ms * 1000;
	uint64_t quota_us = (uint64_t)p->cpu_max_percent * period_us / 100;

	if (quota_us && quota_us < LEAST_QUOTA_US)
		quota_us = LEAST_QUOTA_US;
	return (struct limits){.cpu_weight = (uint64_t)p->cpu_weight,
			       .cpu_quota_us = quota_us,
			       .cpu_period_us = period_us,
			       .io_weight = (uint64_t)p->io_weight,
			       .read_bytes = (uint64_t)p->io_read_bps_max,
			       .write_bytes = (uint64_t)p->io_write_bps_max,
			       .reads = (uint64_t)p->io_read_iops_max,
			       .writes = (uint64_t)p->io_write_iops_max};
}

struct limits limits_early(const struct policy *p)
{
	struct limits l = always(p);

	l.memory_bytes = p->memory_max ? least(limits_private_bytes(p), early) : early;
	l.pids = p->pids_max ? least((uint64_t)p->pids_max, EARLY_PIDS) : EARLY_PIDS;
	return l;
}

struct limits limits_of(const struct policy *p, const struct msg_plan *plan, uint64_t shared_bytes)
{
	uint64_t guest = plan->ram_bytes + plan->rom_bytes + shared_bytes;
	struct limits l = always(p);

	l.memory_bytes = p->memory_max ? (uint64_t)p->memory_max : guest + guest / 256 + slack;
	l.pids = p->pids_max ? (uint64_t)p->pids_max
			     : plan->n_vcpus + PIDS_A_VDEV * plan->n_vdevs + SPARE_PIDS;
	return l;
}

uint64_t limits_private_bytes(const struct policy *p)
{
	return p->memory_max ? most((uint64_t)p->memory_max, least_private) : most_private;
}

uint64_t limits_own_pids(const struct policy *p)
{
	return p->pids_max ? (uint64_t)p->pids_max : most_pids;
}

int limits_judge(const struct policy *p, const struct limits_held *h, struct err *e)
{
	char held[LIMITS_TEXT];
	static const enum limit required[] = {LIMIT_MEMORY, LIMIT_CPU, LIMIT_PIDS};

	if (p->limits_required && h->wants_io_max && h->by[LIMIT_IO_MAX] < LIMITER_CGROUP)
		return err_set(
			e, RESOURCE,
			"its policy says `limits_required`, and what its disks read and write "
			"cannot be limited here: a cgroup with the controller io counts that "
			"on block devices alone, not on a network's file system, btrfs or "
			"tmpfs; move its disks, or set limits_required to false");
	if (p->limits_required && h->wants_partition && h->by[LIMIT_PARTITION] < LIMITER_CGROUP)
		return err_set(
			e, RESOURCE,
			"its policy says `limits_required`, and this host cannot keep the budget "
			"of its partition: that takes a cgroup with the controller cpu; give qvmd "
			"a "
			"unit with Delegate=, or set limits_required to false");
	for (size_t i = 0; p->limits_required && i < NELEMS(required); i++)
		if (h->by[required[i]] < LIMITER_CGROUP)
			return err_set(
				e, RESOURCE,
				"its policy says `limits_required`, and this host cannot limit its "
				"%s by a cgroup (%s): give qvmd a unit with Delegate=, or set "
				"limits_required to false",
				name_of[required[i]], limits_text(h, held));
	return 0;
}

static bool is_told(const struct limits_held *h, enum limit l)
{
	return (l != LIMIT_IO_MAX || h->wants_io_max) &&
	       (l != LIMIT_PARTITION || h->wants_partition);
}

const char *limits_text(const struct limits_held *h, char ret[static LIMITS_TEXT])
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (is_told(h, i))
			str_add(ret, LIMITS_TEXT, &n, "%s%s=%s", i ? " " : "", name_of[i],
				limiter[h->by[i]]);
	return ret;
}

const char *limit_controller(enum limit l)
{
	return controller_of[l];
}

void limits_add_disk(struct limits_disks *d, uint64_t device)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->device[i] == device)
			return;
	if (device && d->n < LIMITS_DISKS)
		d->device[d->n++] = device;
	else
		d->has_other = true;
}

bool limits_want_io_max(const struct limits *l)
{
	return (l->read_bytes || l->write_bytes || l->reads || l->writes) &&
	       (l->disks.n || l->disks.has_other);
}
