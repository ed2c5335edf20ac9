/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/startup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/decide/order.h"
#include "daemon/decide/pair.h"
#include "daemon/store/event.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/worker/worker.h"

/* Whoever waits for a primary has what it waits for in its standby, once that has taken over. */
static const struct vm *active_of(const struct vm *v)
{
	const struct vm *partner = pair_partner(v);

	return partner && !pair_is_primarys(v->row.pair) ? partner : v;
}

static struct order_member member_of(const struct vm *v)
{
	const struct vm *a = active_of(v);

	return (struct order_member){
		.name = v->row.name,
		.after = v->policy.after,
		.order = v->policy.start_order,
		.waits = v->turn == TURN_WAITS,
		.is_on_way = v->turn == TURN_CALLED || v->row.observed == OBSERVED_STARTING,
		.is_due = a->row.restart_at_ms != 0,
		.runs = a->row.observed == OBSERVED_RUNNING || a->row.observed == OBSERVED_PAUSED,
		.is_wanted = a->row.desired != DESIRED_STOPPED,
		.has_worker = v->worker && !v->worker->is_frozen,
	};
}

struct order_member *startup_members(const struct daemon *d)
{
	struct order_member *m = calloc(d->vms.n + 1, sizeof *m);

	if (!m)
		abort();
	for (size_t i = 0; i < d->vms.n; i++)
		m[i] = member_of(d->vms.vm[i]);
	order_prepare(m, d->vms.n);
	return m;
}

void startup_queue(struct vm *v)
{
	v->turn = TURN_WAITS;
	v->is_wait_told = false;
}

static void tell(struct daemon *d, struct vm *v, const struct order_member *m,
		 struct order_verdict why)
{
	struct event ev;

	if (v->is_wait_told)
		return;
	v->is_wait_told = true;
	if (why.why == ORDER_AFTER)
		snprintf(v->row.reason, sizeof v->row.reason,
			 "it waits for '%s' to run (policy after); `start` does not wait",
			 m[why.blocker].name);
	else
		snprintf(v->row.reason, sizeof v->row.reason,
			 "it waits for '%s', whose start_order is lower; `start` does not wait",
			 m[why.blocker].name);
	ev = event_make(JOURNAL_WAITING, v->row.name, "%s", v->row.reason);
	ledger_event(d, &ev);
	ledger_vm(d, v);
}

static bool has_waiting(const struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->turn == TURN_WAITS)
			return true;
	return false;
}

void startup_step(struct daemon *d)
{
	if (d->is_ending || !d->is_recovered || !has_waiting(d))
		return;
	AUTO_FREE struct order_member *m = startup_members(d);

	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];
		struct order_verdict may;

		if (v->turn != TURN_WAITS)
			continue;
		may = order_may_start(m, d->vms.n, i);
		if (may.why != ORDER_GO) {
			tell(d, v, m, may);
			continue;
		}
		v->turn = TURN_CALLED;
		m[i].waits = false;
		m[i].is_on_way = true;
		life_start_in(d, v, (uint64_t)v->policy.start_delay_ms);
	}
}

bool startup_may_go(struct vm *v)
{
	struct daemon *d = v->d;
	bool may;

	if (v->turn != TURN_CALLED)
		return true;
	AUTO_FREE struct order_member *m = startup_members(d);
	size_t i = 0;

	while (d->vms.vm[i] != v)
		i++;
	may = order_may_start(m, d->vms.n, i).why == ORDER_GO;
	if (!may)
		v->turn = TURN_WAITS;
	return may;
}
