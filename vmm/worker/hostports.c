/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host for a lone worker, with the user's own rights: the threads that it makes later, its
 * vCPUs, have them too. */
#include "base/hostports.h"

#include "base/auto.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

int host_open_ports(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int fd = -1;
	struct hostports p;

	(void)b;
	if (!hostports_of(w->path, &p))
		return err_set(e, RESOURCE, "'%s' are no ports of the host", w->path);
	if (hostports_permit(&p, true, e) < 0 || hostports_claim(&p, &fd, e) < 0)
		return err_wrap(e, "%s (line %u)", w->option, w->line);
	*w->fd = TAKE_FD(fd);
	return 0;
}
