/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host: those that `allow-ports` of qvmd.conf gives this VM. They were opened for its worker
 * when it was made (worker.c), so there is nothing left but to see that it is their only owner. */
#include "base/hostports.h"

#include <string.h>

#include "daemon/config.h"
#include "daemon/worker/resource.h"

/* The ports are the worker's word. */
static int judge(const struct resource *r, struct hostports *ret, struct err *e)
{
	const struct config *c = r->config;

	if (!hostports_of(r->want->path, ret))
		return err_set(e, PROTOCOL, "wanted ports of the host that are none");
	for (unsigned i = 0; i < c->n_allow_ports; i++)
		if (!strcmp(c->allow_ports[i].vm, r->vm) &&
		    hostports_are_within(ret, &c->allow_ports[i].ports))
			return 0;
	return err_set(e, RESOURCE,
		       "this host does not give its ports 0x%x,%u to '%s': add `allow-ports = "
		       "0x%x,%u %s` to qvmd.conf",
		       ret->base, ret->n, r->vm, ret->base, ret->n, r->vm);
}

static int probe(const struct resource *r, struct err *e)
{
	struct hostports p;

	return judge(r, &p, e);
}

static int claim(const struct resource *r, int *ret_fd, struct err *e)
{
	struct hostports p;

	return judge(r, &p, e) < 0 ? -1 : hostports_claim(&p, ret_fd, e);
}

const struct resource_kind ports_kind = {probe, claim, NULL};
