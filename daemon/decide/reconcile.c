/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/reconcile.h"

#include <string.h>

/*
 * Autostart is for a VM that has not had its life since the host booted: what an operator or the
 * guest itself has ended since then stays ended when the supervisor is upgraded.
 */
static enum reconcile_verdict resting(const struct record *r, const struct policy *p,
				      const char *boot)
{
	bool has_lived = r->generation > 0 && !strcmp(r->boot, boot);

	if (r->desired != DESIRED_STOPPED && r->cause == CAUSE_HOST_SHUTDOWN)
		return RECONCILE_START;
	if (r->desired != DESIRED_STOPPED && r->restart_at_ms)
		return RECONCILE_AGAIN;
	if (r->observed == OBSERVED_STOPPED && p->autostart && !has_lived)
		return RECONCILE_START;
	return RECONCILE_LEAVE;
}

enum reconcile_verdict reconcile_row(const struct record *r, const struct policy *p,
				     enum reconcile_worker w, const char *boot)
{
	switch (r->observed) {
	case OBSERVED_STARTING:
		/* Without its guest it ends when its link does. */
		return w == RECONCILE_KEPT ? RECONCILE_ADOPT : RECONCILE_LOST;
	case OBSERVED_PREPARING: return RECONCILE_UNREADY;
	case OBSERVED_READY: return w == RECONCILE_KEPT ? RECONCILE_ADOPT : RECONCILE_UNREADY;
	case OBSERVED_RUNNING:
	case OBSERVED_PAUSED:
	case OBSERVED_STOPPING: return w == RECONCILE_GONE ? RECONCILE_LOST : RECONCILE_ADOPT;
	case OBSERVED_SAFE:
		/* Its guest stands frozen, to be looked at. */
		if (w == RECONCILE_KEPT && r->pid && r->desired != DESIRED_STOPPED &&
		    !r->restart_at_ms)
			return RECONCILE_ADOPT;
		return resting(r, p, boot);
	default: return resting(r, p, boot);
	}
}
