/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/law.h"

#include <string.h>

#include "base/auto.h"
#include "daemon/store/store.h"
#include "daemon/vm/pair.h"
#include "daemon/worker/worker.h"
#include "tests/sim/world.h"

static void check_intent(const struct vm *v, bool is_held_back)
{
	const struct store_value key[] = {STORE_INT(v->row.id), STORE_INT(v->row.generation)};
	int64_t n = 0;
	struct err e;

	/* Intent is on the disk before the deed. */
	WORLD_MUST(store_number(&world.d.store,
				is_held_back
					? "SELECT count(*) FROM vm WHERE id = ? AND generation = "
					  "? AND observed = 'preparing' AND desired = 'stopped'"
					: "SELECT count(*) FROM vm WHERE id = ? AND generation = "
					  "? AND observed = 'starting' AND desired <> 'stopped'",
				key, NELEMS(key), 0, &n, &e) == 0);
	WORLD_MUST(n == 1);
}

static bool has_guest(const struct vm *v)
{
	return v->worker && !v->worker->is_held_back;
}

/* One of two has a guest, never both: their disk has one owner. */
static void check_pair(const struct vm *v)
{
	const struct vm *partner = pair_partner(v), *primary = pair_primary(v);

	WORLD_MUST(!partner || (!has_guest(partner) && v->row.pair == PAIR_ACTIVE));
	WORLD_MUST(!primary || (!has_guest(primary) && primary->row.pair == PAIR_PASSIVE));
}

/* Held ready is the other one alone, and only where that is wished. */
static void check_reserve(const struct vm *v)
{
	const struct vm *primary = pair_partner(v) ? v : pair_primary(v);

	WORLD_MUST(primary && primary->policy.standby_warm && !pair_is_active(v));
}

/* Of VMs that start together nobody is before whom it waits for. */
static void check_order(const struct vm *v)
{
	const char *after = v->policy.after;
	bool is_in_order = v->operation == 0 &&
			   (v->row.generation == 1 || v->row.cause == CAUSE_SUPERVISOR_LOST);
	char name[NAME_CAP];

	if (!is_in_order || pair_partner(v) || pair_primary(v))
		return;
	for (size_t i = 0; i < world.d.vms.n; i++) {
		const struct vm *other = world.d.vms.vm[i];

		WORLD_MUST(*after || *other->policy.after ||
			   other->policy.start_order >= v->policy.start_order ||
			   other->row.observed != OBSERVED_STARTING || other->operation);
	}
	while (policy_next_name(&after, name)) {
		const struct vm *other = vm_find(&world.d.vms, name);

		if (other && other->row.pair != PAIR_ACTIVE)
			other = pair_partner(other);
		WORLD_MUST(!other || other->row.desired == DESIRED_STOPPED ||
			   other->row.observed == OBSERVED_RUNNING ||
			   other->row.observed == OBSERVED_PAUSED);
	}
}

void law_of_spawn(const struct vm *v, bool is_held_back)
{
	check_intent(v, is_held_back);
	if (is_held_back) {
		check_reserve(v);
		return;
	}
	check_pair(v);
	check_order(v);
}

void law_of_start(const struct vm *v)
{
	WORLD_MUST(v->row.desired != DESIRED_STOPPED && v->row.observed == OBSERVED_STARTING);
	check_pair(v);
}
