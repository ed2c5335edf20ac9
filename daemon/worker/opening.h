/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opening.h - what a worker wants of the host, judged and opened by an opener while the supervisor goes
 * on. Supervisor; part of a worker from its PLAN until all is handed to it, or both have gone.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/decide/limits.h"
#include "daemon/decide/plan.h"

struct opener;
struct worker;

struct opening {
	struct opener *opener; /* NULL = none, or gone */
	struct plan plan;
	bool is_granted;       /* to be opened, not only judged */
	int *fd;	       /* by want; -1 = not there yet. NULL = none */
	uint64_t shared_bytes; /* of files that are passed to the guest */
	struct limits_disks disks;
	sd_event_source *linger;
};

/* Have the wants of a worker judged, each of them; or first all judged, then opened, up to the first
 * that is refused. The worker's owner hears of each refusal by refused(), of the end by opened(). */
int opening_judge(struct worker *w, const struct plan *p, struct err *e);
int opening_begin(struct worker *w, const struct plan *p, struct err *e);
/* The descriptors by want, for the caller; a want that nothing is opened for has -1. */
int *opening_take(struct worker *w);
/* What the opener is busy with; NULL = nothing. */
const struct msg_want *opening_pending(const struct worker *w);
/* Of a standby that is held ready: claim what it has late (late.h), which may wait. The worker's owner hears
 * of the end by claimed(). */
int opening_claim(struct worker *w, struct err *e);
/* All has been handed on. */
void opening_release(struct worker *w);
/* The worker's process has gone: true when nothing is left here either; else worker_opening_gone() is
 * called when that is so. */
bool opening_end(struct worker *w);
void opening_free(struct worker *w);
