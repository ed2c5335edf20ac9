/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/watch.h"

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

enum { TICK_MIN_MS = 50, TICK_MAX_MS = 1000, LOOKS = 4 /* within a deadline, at least */ };

/* A worker beats while its guest stands, too. Of one that cannot be talked to nothing is known. */
static bool is_watched(const struct vm *v)
{
	return (v->row.observed == OBSERVED_RUNNING || v->row.observed == OBSERVED_PAUSED ||
		v->row.observed == OBSERVED_READY) &&
	       v->worker && !v->worker->is_foreign && v->worker->box.box;
}

/* The shorter of the two; 0 = there is none. */
static uint64_t sooner(uint64_t tick_ms, int64_t ms)
{
	return ms > 0 && (!tick_ms || (uint64_t)ms < tick_ms) ? (uint64_t)ms : tick_ms;
}

static uint64_t tick_of(const struct daemon *d)
{
	uint64_t tick_ms = 0;

	for (size_t i = 0; i < d->vms.n; i++) {
		const struct policy *p = &d->vms.vm[i]->running;

		if (!is_watched(d->vms.vm[i]))
			continue;
		tick_ms = sooner(tick_ms, p->heartbeat_ms);
		tick_ms = sooner(tick_ms, p->vcpu_stuck_ms / LOOKS);
		tick_ms = sooner(tick_ms, p->guest_heartbeat_ms / LOOKS);
	}
	if (tick_ms && tick_ms < TICK_MIN_MS)
		return TICK_MIN_MS;
	return tick_ms < TICK_MAX_MS ? tick_ms : TICK_MAX_MS;
}

static void tell(struct daemon *d, struct vm *v, enum journal kind, const char *text)
{
	struct event ev = event_make(kind, v->row.name, "%s", text);

	ledger_event(d, &ev);
}

/* Who is longest out of the guest, and what the guest has given of itself. */
static struct health_sight sight_of(const struct vm *v)
{
	const struct blackbox_map *m = &v->worker->box;
	struct health_sight s = {
		.beats = atomic_load(&m->box->heartbeat),
		.signs = atomic_load(&m->box->signs) + atomic_load(&m->box->console_head),
		.is_held = v->row.observed != OBSERVED_RUNNING || v->worker->holders != 0,
	};

	for (uint32_t i = 0; i < m->n_vcpus; i++) {
		uint64_t since_ns = atomic_load(&m->vcpu[i].since_ns);

		if (atomic_load(&m->vcpu[i].state) != BLACKBOX_VCPU_EXIT ||
		    (s.out_ns && since_ns >= s.out_ns))
			continue;
		s.out_ns = since_ns;
		s.out_vcpu = i;
	}
	return s;
}

static void look(struct daemon *d, struct vm *v, uint64_t now_ms)
{
	struct health_sight s = sight_of(v);
	struct health_verdict h =
		health_judge(&v->watch, &v->running, &s, d->watch.tick_ms, now_ms);
	enum health before = v->row.health;
	struct err why;

	if (v->row.worker == h.worker && v->row.guest == h.guest)
		return;
	record_health(&v->row, &h);
	if (h.cause != CAUSE_NONE) {
		err_set(&why, TIMEOUT, "%s", h.why);
		worker_fence(v->worker, h.cause, &why);
	} else if (v->row.health == HEALTH_SUSPECT) {
		tell(d, v, JOURNAL_SUSPECT, h.why);
	} else if (before == HEALTH_SUSPECT) {
		tell(d, v, JOURNAL_HEALTHY, "it gives signs of life again");
	}
	ledger_vm(d, v);
}

void watch_begin(struct daemon *d, struct vm *v, uint64_t now_ms)
{
	const struct health_verdict fresh = {.process = HEALTH_HEALTHY, .worker = HEALTH_HEALTHY};
	struct health_sight s;

	if (!is_watched(v))
		return;
	s = sight_of(v);
	record_health(&v->row, &fresh);
	health_begin(&v->watch, &s, now_ms);
	watch_arm(d);
}

void watch_take_policy(struct daemon *d, struct vm *v, const struct policy *p, uint64_t now_ms)
{
	const uint64_t deadlines = POLICY_BIT(POLICY_INDEX_heartbeat_misses) |
				   POLICY_BIT(POLICY_INDEX_vcpu_stuck_ms) |
				   POLICY_BIT(POLICY_INDEX_guest_heartbeat_ms);

	if (policy_changes(&v->running, p) & deadlines)
		health_anew(&v->watch, now_ms);
	v->running = *p;
	watch_arm(d);
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
