/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/shutdown.h"

#include "base/auto.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/decide/order.h"
#include "daemon/notify.h"
#include "daemon/timer.h"
#include "daemon/vm/dump.h"
#include "daemon/worker/worker.h"

enum { CUT_MS = 2000, FENCE_MS = 3000, API_MS = 2000 };

/* In this order; each is left when nothing is waited for any more, or when its time is over. */
enum stage {
	STAGE_NONE,
	STAGE_BUTTON,
	STAGE_CUT,
	STAGE_FENCE,
	STAGE_DUMPS,
	STAGE_API,
	STAGE_OVER,
};

static int on_too_late(sd_event_source *s, uint64_t us, void *arg)
{
	struct vm *v = arg;

	(void)s;
	(void)us;
	if (v->worker)
		worker_fence(v->worker, CAUSE_HOST_SHUTDOWN, NULL);
	return 0;
}

static int on_late(sd_event_source *s, uint64_t us, void *arg)
{
	struct vm *v = arg;

	(void)s;
	(void)us;
	if (v->worker)
		worker_cut(v->worker, CAUSE_HOST_SHUTDOWN);
	timer_set(v->d->loop, &v->deadline, CUT_MS, on_too_late, v);
	return 0;
}

static void press(struct worker *w)
{
	if (w->phase == WORKER_RUNS && !w->is_frozen) {
		worker_release(w, WORKER_HOLD_PAUSE); /* else nobody hears it */
		worker_button(w);
	} else {
		worker_cut(w, CAUSE_HOST_SHUTDOWN);
	}
}

static void cut(struct worker *w)
{
	worker_cut(w, CAUSE_HOST_SHUTDOWN);
}

static void fence(struct worker *w)
{
	worker_fence(w, CAUSE_HOST_SHUTDOWN, NULL);
}

/* Whoever started last ends first; each has its stop_timeout_ms, all together the grace. */
static void press_next(struct daemon *d)
{
	AUTO_FREE struct order_member *m = startup_members(d);

	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];

		if (!v->worker || v->is_parting || !order_may_end(m, d->vms.n, i))
			continue;
		v->is_parting = true;
		press(v->worker);
		timer_set(d->loop, &v->deadline, (uint64_t)v->running.stop_timeout_ms, on_late, v);
	}
}

static void to_all(struct daemon *d, void (*deed)(struct worker *w))
{
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->worker)
			deed(d->vms.vm[i]->worker);
}

static bool has_workers(struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->worker)
			return true;
	return !check_end_all(d);
}

static bool has_dumps(const struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++)
		if (d->vms.vm[i]->dump)
			return true;
	return false;
}

static void cancel_dumps(struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++)
		dump_cancel(d->vms.vm[i]);
}

void shutdown_press(struct daemon *d)
{
	to_all(d, press);
}

void shutdown_cut(struct daemon *d)
{
	to_all(d, cut);
}

void shutdown_fence(struct daemon *d)
{
	to_all(d, fence);
}

static void shutdown_step(struct daemon *d);

static int on_stage_over(sd_event_source *s, uint64_t us, void *arg)
{
	(void)s;
	(void)us;
	shutdown_step(arg);
	return 0;
}

/* What must reach the keeper has done so when it is written. */
static void leave(struct daemon *d)
{
	if (!d->is_leaving && has_workers(d))
		log_error(NULL, "a worker does not end even by SIGKILL: the kernel holds it");
	if (!d->is_leaving)
		cancel_dumps(d);
	ledger_flush(d);
	server_end(d);
	keep_leave(d);
}

void shutdown_begin(struct daemon *d, enum shutdown_how how)
{
	if (!d->is_ending &&
	    (how == SHUTDOWN_LEAVE || (how == SHUTDOWN_AS_SET && d->config.leaves_vms))) {
		log_info(NULL, "ending; the VMs run on");
		notify_stopping();
		d->is_leaving = true;
		check_end_all(d);
		d->stop_stage = STAGE_API - 1;
	}
	shutdown_step(d);
}

static void shutdown_step(struct daemon *d)
{
	uint64_t bound_ms = 0;

	d->is_ending = true;
	switch (++d->stop_stage) {
	case STAGE_BUTTON:
		notify_stopping();
		log_info(NULL, "ending in order");
		for (size_t i = 0; i < d->vms.n; i++)
			timer_clear(&d->vms.vm[i]->restart);
		if (d->config.shutdown_grace_ms == 0) {
			shutdown_step(d);
			return;
		}
		press_next(d);
		bound_ms = d->config.shutdown_grace_ms;
		break;
	case STAGE_CUT:
		shutdown_cut(d);
		bound_ms = CUT_MS;
		break;
	case STAGE_FENCE:
		shutdown_fence(d);
		bound_ms = FENCE_MS;
		break;
	case STAGE_DUMPS:
		if (d->config.shutdown_grace_ms == 0) {
			shutdown_step(d);
			return;
		}
		bound_ms = d->config.shutdown_grace_ms;
		break;
	case STAGE_API:
		leave(d);
		bound_ms = API_MS;
		break;
	default: sd_event_exit(d->loop, 0); return;
	}
	timer_set(d->loop, &d->stopper, bound_ms, on_stage_over, d);
	daemon_check_end(d);
}

void daemon_check_end(struct daemon *d)
{
	if (d->stop_stage < STAGE_DUMPS && !has_workers(d)) {
		d->stop_stage = STAGE_DUMPS - 1;
		shutdown_step(d);
	} else if (d->stop_stage == STAGE_DUMPS && !has_dumps(d)) {
		shutdown_step(d);
	} else if (d->stop_stage >= STAGE_API && d->server.process.fd < 0 &&
		   (d->is_leaving || keep_is_gone(d))) {
		sd_event_exit(d->loop, 0);
	} else if (d->stop_stage == STAGE_BUTTON) {
		press_next(d);
	}
}

void shutdown_dump_over(struct daemon *d)
{
	if (d->stop_stage == STAGE_DUMPS)
		daemon_check_end(d);
}
