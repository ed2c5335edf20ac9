/* SPDX-License-Identifier: Apache-2.0 */
/* UIO devices of the host for a lone worker, with the user's own rights. */
#include "base/uio.h"

#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

static int named(const struct want *w, struct err *e)
{
	return err_wrap(e, "%s (line %u)", w->option, w->line);
}

static int no_device(const struct want *w, struct err *e)
{
	return err_set(e, RESOURCE, "%s (line %u): '%s' is no UIO device of the host", w->option,
		       w->line, w->path);
}

int host_open_uio(const struct want *w, const struct board *b, struct err *e)
{
	int n = uio_of(w->path);

	(void)b;
	if (n < 0)
		return no_device(w, e);
	return uio_open((unsigned)n, w->fd, e) < 0 ? named(w, e) : 0;
}

int host_open_uio_bar(const struct want *w, const struct board *b, struct err *e)
{
	unsigned bar = 0;
	int n = uio_of_bar(w->path, &bar);

	(void)b;
	if (n < 0)
		return no_device(w, e);
	return uio_open_bar((unsigned)n, bar, w->fd, e) < 0 ? named(w, e) : 0;
}

int host_open_uio_arm(const struct want *w, const struct board *b, struct err *e)
{
	int n = uio_of_arm(w->path);

	(void)b;
	if (n < 0)
		return no_device(w, e);
	return uio_open_arm((unsigned)n, w->fd, e) < 0 ? named(w, e) : 0;
}
