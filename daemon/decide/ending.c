/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/ending.h"

#include <signal.h>

/*
 * May a worker claim this cause? Causes that only the supervisor can establish, and orderly ends
 * that nobody asked for, would hide a fault. Whoever reads this is not lost: that claim would be a
 * restart at once, charged to nobody, and again.
 */
static bool may_claim(const struct ending_evidence *e, enum cause claim)
{
	if (claim == e->cut)
		return claim != CAUSE_NONE;
	/* What an earlier supervisor told it, or that there was none, nobody knows now. */
	if (e->was_alone && (claim == CAUSE_HOST_SHUTDOWN || claim == CAUSE_SUPERVISOR_LOST))
		return true;
	switch (claim) {
	case CAUSE_POWER_CUT: return true; /* SIGTERM from the host, as in QNX */
	case CAUSE_SUPERVISOR_LOST: return false;
	default: return cause_class(claim) != CAUSE_CLASS_STOP && cause_exit(claim) >= 0;
	}
}

static enum cause said(const struct ending_evidence *e)
{
	enum cause claim =
		e->said_cause < CAUSE_COUNT ? (enum cause)e->said_cause : CAUSE_WORKER_EXIT;

	return may_claim(e, claim) ? claim : CAUSE_PROTOCOL;
}

static enum cause judge_exit(const struct ending_evidence *e)
{
	if (e->forbidden >= 0 && !e->has_said)
		return CAUSE_FORBIDDEN_SYSCALL;
	if (e->is_invalid)
		return CAUSE_CONFIGURATION;
	if (e->has_said && e->said_exit == (uint32_t)e->status)
		return said(e);
	return CAUSE_WORKER_EXIT;
}

/* By SIGKILL. The kernel's own comes first: who is being ended so misses heartbeats too. */
static enum cause judge_kill(const struct ending_evidence *e)
{
	if (e->is_out_of_memory && (e->fenced == CAUSE_NONE || e->fenced == CAUSE_WORKER_HUNG))
		return CAUSE_OUT_OF_MEMORY;
	return e->fenced != CAUSE_NONE ? e->fenced : CAUSE_WORKER_SIGNAL;
}

/* Without the kernel's word: its own, if it has left one. */
static enum cause judge_unseen(const struct ending_evidence *e)
{
	if (e->fenced != CAUSE_NONE)
		return e->fenced;
	if (e->forbidden >= 0 && !e->has_said)
		return CAUSE_FORBIDDEN_SYSCALL;
	return e->has_said ? said(e) : CAUSE_WORKER_LOST;
}

struct ending ending_judge(const struct ending_evidence *e)
{
	struct ending r = {.exit_code = -1, .syscall = -1};

	if (e->code == 0) {
		r.cause = judge_unseen(e);
	} else if (e->code == CLD_EXITED) {
		r.exit_code = e->status;
		r.cause = judge_exit(e);
	} else {
		r.signal = e->status;
		if (r.signal == SIGKILL)
			r.cause = judge_kill(e);
		else if (r.signal == SIGSYS)
			r.cause = CAUSE_FORBIDDEN_SYSCALL;
		else
			r.cause = CAUSE_WORKER_SIGNAL;
	}
	if (r.cause == CAUSE_FORBIDDEN_SYSCALL)
		r.syscall = e->forbidden;
	return r;
}
