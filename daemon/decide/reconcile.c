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
				     const char *boot)
{
	switch (r->observed) {
	case OBSERVED_STARTING:
	case OBSERVED_RUNNING:
	case OBSERVED_PAUSED:
	case OBSERVED_STOPPING: return RECONCILE_LOST;
	default: return resting(r, p, boot);
	}
}
