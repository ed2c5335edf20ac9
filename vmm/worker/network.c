/* SPDX-License-Identifier: Apache-2.0 */
/* The host ends of a lone worker's networks: a TAP with the user's own rights. */
#include <string.h>

#include "base/tap.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

static int named(const struct want *w, struct err *e)
{
	return err_wrap(e, "%s (line %u)", w->option, w->line);
}

int host_open_tap(const struct want *w, const struct board *b, struct err *e)
{
	const char *name = tap_name(w->path);

	(void)b;
	if (!name)
		return err_set(e, RESOURCE, "%s (line %u): '%s' is no name of a TAP interface",
			       w->option, w->line, w->path + strlen(TAP_WANT));
	return tap_open(name, w->fd, e) < 0 ? named(w, e) : 0;
}

/* Whoever comes second would have to reach into a sandbox that has closed. */
int host_open_peer(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return err_set(e, RESOURCE,
		       "%s (line %u): peers meet under qvmd: define both VMs there with `qvmadm "
		       "define`, or give each a TAP of the host (`tapdev NAME`) and bridge them",
		       w->option, w->line);
}
