/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h - who may start next, and who may end next, of all VMs: from policies and states to a
 * verdict. It decides and never acts. Supervisor.
 *
 * `after` is a rule: a VM waits for those that it names, if they shall run, until they do. The
 * number start_order is a rank: a VM waits until those of a lower one are no longer on their way;
 * whoever is stuck holds up nobody but those that name it. Where the two contradict each other the
 * rule wins: a VM has at least the rank of those it waits for. Ending is the reverse.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct order_member {
	const char *name;
	const char *after; /* names, as in struct policy */
	int64_t order;
	bool waits;	 /* for its turn to start */
	bool is_on_way;	 /* its turn has come, it does not run yet */
	bool is_due;	 /* its policy will start it again */
	bool runs;	 /* or stands, paused */
	bool is_wanted;	 /* it shall run */
	bool has_worker; /* that has to end */
	int64_t rank;	 /* of order_prepare() */
	bool is_stuck;	 /* likewise: it waits for one that does not come without an operator */
};

enum order_why { ORDER_GO, ORDER_AFTER, ORDER_RANK };

struct order_verdict {
	enum order_why why;
	size_t blocker; /* index of the one that is waited for */
};

/* Fill in what follows from all together. The members are sorted by name; a cycle, which no definition makes, is cut. */
void order_prepare(struct order_member *m, size_t n);
/* May member i, which waits, start now? */
struct order_verdict order_may_start(const struct order_member *m, size_t n, size_t i);
/* May member i, which has a worker, be asked to end now? */
bool order_may_end(const struct order_member *m, size_t n, size_t i);
/* Is there a way from member i by `after` back to it? Then *ret tells it: "a -> b -> a". */
bool order_has_cycle(const struct order_member *m, size_t n, size_t i, char *ret, size_t cap);
