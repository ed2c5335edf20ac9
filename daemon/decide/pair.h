/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h - a primary and its standby: who of the two may have a worker, and what comes next when the
 * active one changes. From what is known of both to a verdict; it decides and never acts. Supervisor.
 *
 * Never both: whoever is to take over starts when the other's worker has been reaped, not before. The
 * role is stored with the primary and changes with the very write that is the intent of the start.
 */
#pragma once

#include <stdbool.h>

#include "schemas/lifecycle.h"

/* What a side has to say. */
struct pair_side {
	bool has_worker; /* not reaped yet, whatever it does; one that is held back before its START is none */
	bool is_unfenced; /* one of an earlier supervisor could not be ended */
	bool is_wanted;	  /* its desired column is not `stopped` */
};

struct pair_view {
	enum pair pair;
	struct pair_side primary, partner;
};

enum pair_next {
	PAIR_NOTHING, /* or: wait, until the other has gone */
	PAIR_START,   /* whoever takes over */
	PAIR_CALL_OFF /* it shall not run any more: the role changes all the same */
};

/* The one of a pair that is not the active one. */
struct pair_reserve {
	bool is_warm;	 /* it shall be held ready: policy, and this revision can be */
	bool is_settled; /* no change of roles is under way */
	bool is_needed;	 /* the active one shall run */
	bool is_free;	 /* the active one does run, so it is nobody's way to be prepared now */
	bool is_old;	 /* its worker has an older revision */
	bool has_worker;
	bool is_due; /* it fell while it was held, and its back-off is over */
	enum observed observed;
};

enum pair_deed { PAIR_LEAVE, PAIR_PREPARE, PAIR_STAND_DOWN };

/* What becomes of it now. */
enum pair_deed pair_reserve(const struct pair_reserve *r);
/* Is it the primary that is to run, or its partner? */
bool pair_is_primarys(enum pair p);
/* May that side be started now? */
bool pair_may_start(const struct pair_view *v, bool is_primary);
/* What comes next of a change of roles that is under way. */
enum pair_next pair_next(const struct pair_view *v);
/* The role once whoever takes over is started. */
enum pair pair_settled(enum pair p);
