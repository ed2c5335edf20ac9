/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the host by its physical address for a lone worker, with the user's own rights. */
#include "base/hostmem.h"

#include <fcntl.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

static int open_range(const struct want *w, struct err *e)
{
	AUTO_FD int iomem = open("/proc/iomem", O_RDONLY | O_CLOEXEC);
	struct hostmem h;

	if (!hostmem_of(w->path, &h))
		return err_set(e, RESOURCE, "'%s' is no range of the host's memory", w->path);
	if (iomem < 0)
		return err_sys(e, RESOURCE, "open /proc/iomem, which tells what is memory");
	if (hostmem_probe(&h, iomem, e) < 0)
		return -1;
	return hostmem_open(&h, w->kind == WANT_MEM, iomem, w->fd, e);
}

int host_open_mem(const struct want *w, const struct board *b, struct err *e)
{
	(void)b;
	return open_range(w, e) < 0 ? err_wrap(e, "%s (line %u)", w->option, w->line) : 0;
}

int host_open_mem_read(const struct want *w, const struct board *b, struct err *e)
{
	return host_open_mem(w, b, e);
}
