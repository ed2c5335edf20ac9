/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - judges what a worker asks of the host, by this host's policy: kinds, folders, memory
 * budget. Supervisor, its openers. It opens nothing; resource.c does, once the plan has passed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/diagnostic.h"
#include "schemas/message.h"

struct config;

struct plan {
	const struct config *config;
	const char *vm;
	const struct msg_plan *shape;
	const struct msg_want *want;
	uint32_t n_wants;
	uint64_t used_bytes; /* of the memory budget, by the other VMs */
	int iomem_fd;	     /* of struct resource */
	bool is_late;	     /* what two may want is locked before the start, not now */
};

/* The plan as a whole; it asks nobody. */
int plan_judge(const struct plan *p, struct err *e);
/* One want of it; resource_probe() may look at the host, so this may wait. */
int plan_judge_want(const struct plan *p, const struct msg_want *w, struct err *e);
/* An objection as a finding about the configuration. */
struct diagnostic plan_finding(const struct msg_want *w, const struct err *why);
/* The same as an error; the text names the configuration line and the option. */
void plan_objection(const struct msg_want *w, const struct err *why, struct err *e);
