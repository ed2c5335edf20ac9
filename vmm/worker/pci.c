/* SPDX-License-Identifier: Apache-2.0 */
/* PCI functions of the host for a lone worker, with the user's own rights. */
#include <sys/resource.h>

#include "base/vfio.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

/* DMA locks all memory of the guest. The sandbox keeps limits as they are here; one that is too low is
 * for whoever maps to report. */
static void raise_memlock(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, now;

	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 || getrlimit(RLIMIT_MEMLOCK, &now) < 0)
		return;
	now.rlim_cur = now.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &now);
}

static int named(const struct want *w, struct err *e)
{
	return err_wrap(e, "%s (line %u)", w->option, w->line);
}

int host_open_vfio(const struct want *w, const struct board *b, struct err *e)
{
	const char *name = vfio_name(w[1].path); /* the vdev adds both at once, this one first */
	unsigned group;

	(void)b;
	/* Its own reason first: without it the kernel may well have no VFIO at all. */
	if (name && vfio_probe("/sys", name, &group, e) < 0)
		return named(w, e);
	return vfio_container(w->fd, e) < 0 ? named(w, e) : 0;
}

int host_open_pci(const struct want *w, const struct board *b, struct err *e)
{
	const char *name = vfio_name(w->path);

	(void)b;
	if (!name)
		return err_set(e, RESOURCE, "%s (line %u): '%s' is no PCI function of the host",
			       w->option, w->line, w->path);
	raise_memlock();
	return vfio_open(name, *w[-1].fd, w->fd, e) < 0 ? named(w, e) : 0;
}
