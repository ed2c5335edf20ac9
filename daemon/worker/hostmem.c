/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the host by its physical address: only ranges that `allow-memory` of qvmd.conf names. */
#include "base/hostmem.h"

#include <inttypes.h>

#include "daemon/config.h"
#include "daemon/worker/resource.h"

static bool is_allowed(const struct config *c, const struct hostmem *h)
{
	for (unsigned i = 0; i < c->n_allow_memories; i++)
		if (hostmem_is_within(h, &c->allow_memory[i]))
			return true;
	return false;
}

/* The range is the worker's word. */
static int judge(const struct resource *r, struct hostmem *ret, struct err *e)
{
	if (!hostmem_of(r->want->path, ret))
		return err_set(e, PROTOCOL, "a wanted range of the host's memory that is none");
	if (is_allowed(r->config, ret))
		return 0;
	return err_set(e, RESOURCE,
		       "this host gives its memory at 0x%" PRIx64 ",0x%" PRIx64
		       " to no guest: add `allow-memory = 0x%" PRIx64 ",0x%" PRIx64
		       "` to qvmd.conf",
		       ret->base, ret->bytes, ret->base, ret->bytes);
}

static int probe_mem(const struct resource *r, struct err *e)
{
	struct hostmem h;

	return judge(r, &h, e) < 0 ? -1 : hostmem_probe(&h, r->iomem_fd, e);
}

static int open_mem(const struct resource *r, int *ret_fd, struct err *e)
{
	struct hostmem h;

	if (judge(r, &h, e) < 0)
		return -1;
	return hostmem_open(&h, r->want->kind == WANT_MEM, r->iomem_fd, ret_fd, e);
}

const struct resource_kind mem_kind = {probe_mem, open_mem, NULL};
const struct resource_kind mem_read_kind = {probe_mem, open_mem, NULL};
