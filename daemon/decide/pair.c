/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/pair.h"

bool pair_is_primarys(enum pair p)
{
	return p == PAIR_ACTIVE || p == PAIR_RETURNING;
}

static bool is_gone(const struct pair_side *s)
{
	return !s->has_worker && !s->is_unfenced;
}

bool pair_may_start(const struct pair_view *v, bool is_primary)
{
	return is_primary == pair_is_primarys(v->pair) &&
	       is_gone(is_primary ? &v->partner : &v->primary);
}

enum pair_next pair_next(const struct pair_view *v)
{
	bool is_primary = pair_is_primarys(v->pair);

	if (v->pair == PAIR_ACTIVE || v->pair == PAIR_PASSIVE)
		return PAIR_NOTHING;
	if (!(is_primary ? v->primary : v->partner).is_wanted)
		return PAIR_CALL_OFF;
	return pair_may_start(v, is_primary) ? PAIR_START : PAIR_NOTHING;
}

enum pair pair_settled(enum pair p)
{
	return pair_is_primarys(p) ? PAIR_ACTIVE : PAIR_PASSIVE;
}

enum pair_deed pair_reserve(const struct pair_reserve *r)
{
	bool shall = r->is_warm && r->is_needed;
	bool may = shall && r->is_settled && r->is_free && !r->has_worker;

	switch (r->observed) {
	case OBSERVED_STOPPED: return may ? PAIR_PREPARE : PAIR_LEAVE;
	case OBSERVED_SAFE: return may && r->is_due ? PAIR_PREPARE : PAIR_LEAVE;
	case OBSERVED_PREPARING:
	case OBSERVED_READY: return shall && !r->is_old ? PAIR_LEAVE : PAIR_STAND_DOWN;
	default: return PAIR_LEAVE;
	}
}
