/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the host, by UIO: only those that `allow-uio` of qvmd.conf names. */
#include "base/uio.h"

#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/worker/resource.h"

static bool is_allowed(const struct config *c, int n)
{
	for (unsigned i = 0; i < c->n_allow_uios; i++)
		if (c->allow_uio[i] == n)
			return true;
	return false;
}

/* The number is the worker's word. */
static int judge(const struct resource *r, int n, struct err *e)
{
	if (n < 0)
		return err_set(e, PROTOCOL, "a wanted UIO device without a number");
	if (!is_allowed(r->config, n))
		return err_set(
			e, RESOURCE,
			"this host gives the UIO device 'uio%d' to no guest: add `allow-uio = "
			"uio%d` to qvmd.conf",
			n, n);
	return uio_probe("/sys", (unsigned)n, e);
}

static int probe_uio(const struct resource *r, struct err *e)
{
	return judge(r, uio_of(r->want->path), e);
}

static int open_device(const struct resource *r, int *ret_fd, struct err *e)
{
	int n = uio_of(r->want->path);

	return judge(r, n, e) < 0 ? -1 : uio_open((unsigned)n, ret_fd, e);
}

static int open_bar(const struct resource *r, int *ret_fd, struct err *e)
{
	unsigned bar = 0;
	int n = uio_of_bar(r->want->path, &bar);

	return judge(r, n, e) < 0 ? -1 : uio_open_bar((unsigned)n, bar, ret_fd, e);
}

static int open_arm(const struct resource *r, int *ret_fd, struct err *e)
{
	int n = uio_of_arm(r->want->path);

	return judge(r, n, e) < 0 ? -1 : uio_open_arm((unsigned)n, ret_fd, e);
}

/* Of the parts of a device the device itself tells what is wrong, once. */
const struct resource_kind uio_kind = {probe_uio, open_device, NULL};
const struct resource_kind uio_bar_kind = {NULL, open_bar, NULL};
const struct resource_kind uio_arm_kind = {NULL, open_arm, NULL};
