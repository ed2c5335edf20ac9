/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/ground.h"

/* Less is the slewing of a clock that is kept right. */
enum { BACK_MS = 1000 };

static const struct {
	const char *id, *what, *mend;
} table[GROUND_COUNT] = {
	[GROUND_HOLDS] = {"sound", "all that the supervisor stands on is sound", ""},
#define GROUND(symbol, id, what, mend) [GROUND_##symbol] = {id, what, mend},
#include "schemas/ground.def"
#undef GROUND
};

/* Set forward it is taken as it is: a host's clock is often wrong until its network is up. */
static bool is_set_back(struct ground_watch *w, const struct ground_sight *s)
{
	int64_t ahead_ms = s->wall_ms - (int64_t)s->boot_ms;
	bool is_back = w->has_looked && ahead_ms < w->ahead_ms - BACK_MS;

	*w = (struct ground_watch){.ahead_ms = ahead_ms, .has_looked = true};
	return is_back;
}

enum ground ground_judge(struct ground_watch *w, const struct ground_sight *s)
{
	bool is_back = is_set_back(w, s);

	if (!s->has_state_dir)
		return GROUND_STATE_GONE;
	if (s->is_store_damaged)
		return GROUND_STORE_DAMAGED;
	if (!s->can_write_state)
		return GROUND_STATE_LOCKED;
	if (s->is_store_failing)
		return s->is_store_busy ? GROUND_STORE_BUSY : GROUND_STORE_FAILING;
	if (!s->has_run_dir)
		return GROUND_RUN_GONE;
	if (!s->has_kvm)
		return GROUND_KVM_LOST;
	return is_back ? GROUND_CLOCK_BACK : GROUND_HOLDS;
}

const char *ground_id(enum ground g)
{
	return table[g].id;
}

const char *ground_what(enum ground g)
{
	return table[g].what;
}

const char *ground_mend(enum ground g)
{
	return table[g].mend;
}
