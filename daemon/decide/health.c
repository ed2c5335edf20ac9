/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/health.h"

void health_begin(struct health_watch *h, uint64_t beats, uint64_t now_ms)
{
	*h = (struct health_watch){.beats = beats, .changed_ms = now_ms, .looked_ms = now_ms};
}

enum health health_judge(struct health_watch *h, const struct policy *p, uint64_t beats,
			 uint64_t tick_ms, uint64_t now_ms)
{
	uint64_t since_look_ms = now_ms - h->looked_ms;
	uint64_t deadline_ms = (uint64_t)p->heartbeat_ms * (uint64_t)p->heartbeat_misses;
	uint64_t silent_ms;

	h->looked_ms = now_ms;
	if (beats != h->beats) {
		h->beats = beats;
		h->changed_ms = now_ms;
		return HEALTH_HEALTHY;
	}
	/* Twice the tick is a busy supervisor; more is one that was away: the clock stood still. */
	if (since_look_ms > 2 * tick_ms)
		h->changed_ms += since_look_ms - tick_ms;
	silent_ms = now_ms - h->changed_ms;
	if (silent_ms >= deadline_ms)
		return HEALTH_FAILED;
	/* One missed beat is jitter, half of the permitted ones is not. */
	return silent_ms >= deadline_ms / 2 + (uint64_t)p->heartbeat_ms / 2 ? HEALTH_SUSPECT
									    : HEALTH_HEALTHY;
}
