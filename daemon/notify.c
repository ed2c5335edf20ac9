/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "daemon/daemon.h"

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_status(const struct daemon *d)
{
	unsigned count[OBSERVED_COUNT] = {0};

	if (!getenv("NOTIFY_SOCKET"))
		return;
	for (size_t i = 0; i < d->vms.n; i++)
		count[d->vms.vm[i]->row.observed]++;
	sd_notifyf(0, "STATUS=%zu VMs: %u running, %u stopped, %u safe%s%s", d->vms.n,
		   count[OBSERVED_RUNNING], count[OBSERVED_STOPPED], count[OBSERVED_SAFE],
		   d->hostsafe.reason != GROUND_HOLDS ? "; HOST SAFE STATE: "
		   : d->ledger.is_failing	      ? "; THE STATE CANNOT BE WRITTEN"
						      : "",
		   d->hostsafe.reason != GROUND_HOLDS ? ground_what(d->hostsafe.reason) : "");
}
