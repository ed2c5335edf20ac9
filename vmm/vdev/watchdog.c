/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/watchdog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { DETAIL = 96, MS_PER_S = 1000 };

/* The words of the original's watchdogs: [dump,]terminate, or fiq on an Arm board. */
int watchdog_set_action(struct vdev *d, const char *value, struct err *e)
{
	d->dumps = !strcmp(value, "dump,terminate") || !strcmp(value, "terminate,dump");
	if (d->dumps || !strcmp(value, "terminate"))
		return 0;
	return err_set(e, CONFIG,
		       "'%.64s' is nothing that this watchdog does: write `action terminate` or "
		       "`action dump,terminate`",
		       value);
}

void watchdog_bite(struct vdev *d, uint64_t limit_ms)
{
	bool is_whole = limit_ms % MS_PER_S == 0;
	char detail[DETAIL];

	snprintf(detail, sizeof detail, "%s was not fed for %" PRIu64 " %s", d->name,
		 is_whole ? limit_ms / MS_PER_S : limit_ms, is_whole ? "s" : "ms");
	if (d->dumps)
		machine_dump(d->machine);
	machine_end_by(d->machine, CAUSE_WATCHDOG, 0, detail);
}
