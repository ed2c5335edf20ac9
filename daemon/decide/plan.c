/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "daemon/config.h"
#include "daemon/worker/resource.h"

static int judge_memory(const struct plan *p, const struct msg_want *w, struct err *e)
{
	uint64_t budget = p->config->memory_budget_bytes;
	uint64_t free_bytes = budget > p->used_bytes ? budget - p->used_bytes : 0;
	char wanted[24], left[24], all[24];

	if (w->bytes <= free_bytes)
		return 0;
	return err_set(e, RESOURCE,
		       "%s of guest memory are wanted, %s of the %s that this host gives to VMs "
		       "(memory-budget in qvmd.conf) are free: stop another VM or ask for less",
		       str_bytes(w->bytes, wanted), str_bytes(free_bytes, left),
		       str_bytes(budget, all));
}

int plan_judge_want(const struct plan *p, const struct msg_want *w, struct err *e)
{
	struct resource r = {.config = p->config,
			     .vm = p->vm,
			     .want = w,
			     .plan = p->shape,
			     .container_fd = -1,
			     .iomem_fd = p->iomem_fd,
			     .worker_fd = -1};

	if (resource_probe(&r, e) < 0)
		return -1;
	return w->kind == WANT_RAM ? judge_memory(p, w, e) : 0;
}

/* A VM has one of each; without them there is nothing to assemble. */
static int judge_kinds(const struct plan *p, struct err *e)
{
	static const uint32_t once[] = {WANT_KVM, WANT_RAM, WANT_BLACKBOX};
	uint32_t count[WANT_COUNT] = {0};
	uint64_t wanted = 0;

	for (uint32_t i = 0; i < p->n_wants; i++) {
		count[p->want[i].kind]++; /* bounded by message_check_want() */
		if (p->want[i].kind == WANT_RAM)
			wanted = p->want[i].bytes;
	}
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		if (count[once[i]] != 1)
			return err_set(e, PROTOCOL, "the plan wants %u of kind %s, it must be one",
				       count[once[i]], want_kind_id(once[i]));
	/* The budget is kept by what the plan says, long after the wants are forgotten. */
	if (p->shape->ram_bytes > wanted || p->shape->rom_bytes != wanted - p->shape->ram_bytes)
		return err_set(e, PROTOCOL,
			       "the plan has %" PRIu64 " bytes of RAM and %" PRIu64
			       " of ROM, but %" PRIu64 " are wanted",
			       p->shape->ram_bytes, p->shape->rom_bytes, wanted);
	return 0;
}

static int judge_priority(const struct plan *p, struct err *e)
{
	if (p->shape->max_priority <= p->config->max_priority)
		return 0;
	return err_set(e, RESOURCE,
		       "a vCPU wants the real-time priority %u, this host permits up to %" PRIu64
		       ": raise `max-priority` in qvmd.conf or lower `cpu sched`",
		       p->shape->max_priority, p->config->max_priority);
}

int plan_judge(const struct plan *p, struct err *e)
{
	return judge_kinds(p, e) < 0 || judge_priority(p, e) < 0 ? -1 : 0;
}

void plan_objection(const struct msg_want *w, const struct err *why, struct err *e)
{
	*e = *why;
	if (w->line)
		snprintf(e->msg, sizeof e->msg, "line %u (%s): %.250s", w->line, w->option,
			 why->msg);
}

struct diagnostic plan_finding(const struct msg_want *w, const struct err *why)
{
	struct diagnostic d = {.severity = DIAGNOSTIC_ERROR, .line = w->line, .length = 1};

	str_copy(d.file, sizeof d.file, "<config>");
	str_copy(d.what, sizeof d.what, why->msg);
	str_copy(d.hint, sizeof d.hint, err_advice(why));
	diagnostic_sane(&d);
	return d;
}
