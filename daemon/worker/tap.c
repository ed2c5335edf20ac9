/* SPDX-License-Identifier: Apache-2.0 */
/* TAP interfaces of the host: which ones a guest may have is `allow-tap` of qvmd.conf. */
#include "base/tap.h"

#include <fnmatch.h>
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/worker/resource.h"

static bool is_allowed(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_allow_taps; i++)
		if (fnmatch(c->allow_tap[i], name, 0) == 0)
			return true;
	return false;
}

/* The name is the worker's word. */
static int judge(const struct resource *r, const char **ret_name, struct err *e)
{
	const char *name = tap_name(r->want->path);

	if (!name)
		return err_set(e, PROTOCOL, "a wanted TAP without a name");
	if (!is_allowed(r->config, name))
		return err_set(e, RESOURCE,
			       "this host lets no guest have the interface '%s': add `allow-tap = "
			       "%s` to qvmd.conf",
			       name, name);
	*ret_name = name;
	return 0;
}

static int probe_tap(const struct resource *r, struct err *e)
{
	const char *name = NULL;

	return judge(r, &name, e) < 0 ? -1 : tap_probe(name, e);
}

static int open_tap(const struct resource *r, int *ret_fd, struct err *e)
{
	const char *name = NULL;

	return judge(r, &name, e) < 0 ? -1 : tap_open(name, ret_fd, e);
}

const struct resource_kind tap_kind = {probe_tap, open_tap, NULL};
