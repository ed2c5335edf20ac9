/* SPDX-License-Identifier: Apache-2.0 */
/* Host files that are mapped into a guest: only those that the host's `allow-pass` names. */
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/pass.h"
#include "daemon/config.h"
#include "daemon/worker/resource.h"

/* The file itself, or a folder above it; `real` has no links and no dots in it. */
static bool is_allowed(const struct config *c, const char *real)
{
	for (unsigned i = 0; i < c->n_allow_passes; i++) {
		size_t n = strlen(c->allow_pass[i]);

		while (n && c->allow_pass[i][n - 1] == '/')
			n--;
		if (!strncmp(real, c->allow_pass[i], n) && (real[n] == '/' || !real[n]))
			return true;
	}
	return false;
}

static int find(const struct resource *r, int *ret_path, struct err *e)
{
	char real[RESOURCE_PATH];
	AUTO_FD int path = -1;

	if (resource_find(r, real, &path, e) < 0)
		return -1;
	if (!is_allowed(r->config, real))
		return err_set(e, RESOURCE,
			       "this host passes '%s' to no guest: add `allow-pass = %s` to "
			       "qvmd.conf",
			       r->want->path, real);
	*ret_path = TAKE_FD(path);
	return 0;
}

static int probe(const struct resource *r, struct err *e)
{
	AUTO_FD int path = -1;

	return find(r, &path, e);
}

static int open_pass(const struct resource *r, int *ret_fd, struct err *e)
{
	bool is_writer = r->want->kind == WANT_PASS;
	AUTO_FD int path = -1;
	AUTO_FD int fd = -1;

	if (find(r, &path, e) < 0)
		return -1;
	if (resource_reopen(path, (is_writer ? O_RDWR : O_RDONLY) | O_NONBLOCK, &fd, e) < 0)
		return err_sys(e, RESOURCE, "open '%s' to map it into the guest", r->want->path);
	if (!r->is_late && pass_claim(fd, r->want->path, is_writer, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

const struct resource_kind pass_kind = {probe, open_pass, NULL};
const struct resource_kind pass_read_kind = {probe, open_pass, NULL};
