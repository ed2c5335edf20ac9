/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart.h - what follows the end of a VM: from cause, policy, history and intent to a verdict.
 * It decides and never acts. Supervisor. The history is owned by struct vm.
 *
 * Intent wins: a VM that shall be stopped is never started again. Failures and watchdog bites are
 * charged to the budget; when a window has spent it, the VM stays safe. A clean reboot or power-off
 * is not charged, but two starts are at least RESTART_SPACING_MS apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/cause.h"
#include "schemas/lifecycle.h"
#include "schemas/policy.h"

enum { RESTART_SPACING_MS = 1000 };

enum restart_verdict {
	RESTART_STOP,	  /* it ended as it should */
	RESTART_SAFE,	  /* the latched safe state: policy says stop, or a start cannot help */
	RESTART_AGAIN,	  /* after delay_ms */
	RESTART_GIVE_UP,  /* the budget is spent */
	RESTART_TAKEOVER, /* the safe state; its standby takes its place */
	RESTART_FREEZE,	  /* the latched safe state, with a guest that stands to be looked at */
};

/* Restarts charged in the present window, which begins with the first of them. */
struct restart_history {
	uint32_t charged;
	uint64_t window_ms; /* start of the window */
};

struct restart_case {
	enum cause cause;
	enum desired desired;
	const struct policy *policy;
	uint64_t uptime_ms; /* since the worker was spawned */
	uint64_t now_ms;
	const char *standby; /* that can take over; NULL = none */
	bool is_frozen;	     /* the worker lives, its vCPUs stand */
	bool is_reserve; /* a standby that was held ready, or on its way there: nobody wished it to run */
};

struct restart_decision {
	enum restart_verdict verdict;
	bool is_charged;
	uint32_t nth; /* of the charged ones in this window, from 1 */
	uint64_t delay_ms;
};

/* A restart of the past, in order: makes the history of an earlier supervisor one's own. */
void restart_replay(struct restart_history *h, const struct policy *p, enum cause cause,
		    uint64_t at_ms);
struct restart_decision restart_decide(const struct restart_case *c, struct restart_history *h);
/* The classes of ends whose guest shall stand: 1 << enum cause_class. */
uint32_t restart_freezes(const struct policy *p);
/* The sentence for the incident: what follows. */
const char *restart_sentence(const struct restart_decision *d, const struct restart_case *c,
			     char *ret, size_t cap);
