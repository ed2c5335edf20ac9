/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/watch.h"

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

enum { TICK_MIN_MS = 50, TICK_MAX_MS = 1000 };

/* A worker beats while its guest stands, too. */
static bool is_watched(const struct vm *v)
{
	return v->row.observed == OBSERVED_RUNNING || v->row.observed == OBSERVED_PAUSED;
}

static uint64_t tick_of(const struct daemon *d)
{
	uint64_t tick_ms = 0;

	for (size_t i = 0; i < d->vms.n; i++) {
		const struct vm *v = d->vms.vm[i];
		uint64_t beat_ms = (uint64_t)v->running.heartbeat_ms;

		if (is_watched(v) && (!tick_ms || beat_ms < tick_ms))
			tick_ms = beat_ms;
	}
	if (tick_ms && tick_ms < TICK_MIN_MS)
		return TICK_MIN_MS;
	return tick_ms < TICK_MAX_MS ? tick_ms : TICK_MAX_MS;
}

static void tell(struct daemon *d, struct vm *v, enum journal kind, const char *text)
{
	struct event ev = event_make(kind, v->row.name, "%s", text);

	ledger_event(d, &ev);
	ledger_vm(d, v);
}

static void look(struct daemon *d, struct vm *v, uint64_t now_ms)
{
	uint64_t beats = atomic_load(&v->worker->box.box->heartbeat);
	enum health h = health_judge(&v->watch, &v->running, beats, d->watch.tick_ms, now_ms);

	if (h == v->row.health)
		return;
	v->row.health = h;
	switch (h) {
	case HEALTH_SUSPECT: tell(d, v, JOURNAL_SUSPECT, "its worker misses heartbeats"); break;
	case HEALTH_HEALTHY: tell(d, v, JOURNAL_HEALTHY, "its worker beats again"); break;
	default: worker_fence(v->worker, CAUSE_WORKER_HUNG, NULL);
	}
}

static int on_tick(sd_event_source *s, uint64_t us, void *arg)
{
	struct daemon *d = arg;
	uint64_t now_ms = clock_mono_ms();

	(void)s;
	(void)us;
	for (size_t i = 0; i < d->vms.n; i++)
		if (is_watched(d->vms.vm[i]))
			look(d, d->vms.vm[i], now_ms);
	timer_clear(&d->watch.timer);
	watch_arm(d);
	return 0;
}

void watch_arm(struct daemon *d)
{
	uint64_t tick_ms = tick_of(d);

	if (d->watch.timer && tick_ms >= d->watch.tick_ms)
		return;
	d->watch.tick_ms = tick_ms;
	if (tick_ms)
		timer_set(d->loop, &d->watch.timer, tick_ms, on_tick, d);
}

void watch_close(struct daemon *d)
{
	timer_clear(&d->watch.timer);
}
