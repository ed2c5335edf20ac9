/* SPDX-License-Identifier: Apache-2.0 */
/* PCI functions of the host, by VFIO: only those that `allow-pci` of qvmd.conf names. */
#include <stdbool.h>
#include <string.h>

#include "base/vfio.h"
#include "daemon/config.h"
#include "daemon/worker/resource.h"

static bool is_allowed(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_allow_pcis; i++)
		if (!strcmp(c->allow_pci[i], name))
			return true;
	return false;
}

/* The name is the worker's word. */
static int judge(const struct resource *r, const char **ret_name, struct err *e)
{
	const char *name = vfio_name(r->want->path);

	if (!name)
		return err_set(e, PROTOCOL, "a wanted PCI function without a name");
	if (!is_allowed(r->config, name))
		return err_set(
			e, RESOURCE,
			"this host gives PCI function '%s' to no guest: add `allow-pci = %s` "
			"to qvmd.conf",
			name, name);
	*ret_name = name;
	return 0;
}

static int probe_pci(const struct resource *r, struct err *e)
{
	const char *name = NULL;
	unsigned group = 0;

	return judge(r, &name, e) < 0 ? -1 : vfio_probe("/sys", name, &group, e);
}

static int open_pci(const struct resource *r, int *ret_fd, struct err *e)
{
	const char *name = NULL;

	if (judge(r, &name, e) < 0)
		return -1;
	if (r->container_fd < 0)
		return err_set(e, PROTOCOL, "a wanted PCI function without a container before it");
	return vfio_open(name, r->container_fd, ret_fd, e);
}

/* By itself it reaches nothing: what is judged is the function. */
static int open_vfio(const struct resource *r, int *ret_fd, struct err *e)
{
	if (strcmp(r->want->path, VFIO_CONTAINER) != 0)
		return err_set(e, PROTOCOL, "a wanted VFIO container of another name");
	return vfio_container(ret_fd, e);
}

const struct resource_kind vfio_kind = {NULL, open_vfio, NULL};
const struct resource_kind pci_kind = {probe_pci, open_pci, NULL};
