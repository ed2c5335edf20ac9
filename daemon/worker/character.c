/* SPDX-License-Identifier: Apache-2.0 */
/*
 * character - the host's ends of a guest's lines that are made for them: pseudo terminals, sockets,
 * commands. Files and devices are resource.c's. What is made in the file system stays when the VM ends;
 * its next start replaces it.
 */
#include <limits.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/command.h"
#include "base/listener.h"
#include "base/pty.h"
#include "daemon/config.h"
#include "daemon/worker/resource.h"

static int probe_place(const struct resource *r, struct err *e)
{
	char name[NAME_MAX + 1];
	AUTO_FD int folder = -1;

	return r->want->path[0] ? resource_folder(r, name, &folder, e) : 0;
}

static int open_pty(const struct resource *r, int *ret_fd, struct err *e)
{
	char name[NAME_MAX + 1];
	AUTO_FD int folder = -1;
	AUTO_FD int fd = -1;

	if (pty_open(&fd, e) < 0)
		return -1;
	if (r->want->path[0] && (resource_folder(r, name, &folder, e) < 0 ||
				 pty_link(fd, folder, name, r->want->path, e) < 0))
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_socket(const struct resource *r, int *ret_fd, struct err *e)
{
	char name[NAME_MAX + 1];
	AUTO_FD int folder = -1;

	if (resource_folder(r, name, &folder, e) < 0)
		return -1;
	return listener_open(folder, name, r->want->path, ret_fd, e);
}

/* Who may define a VM is not for that reason one who may run programs on the host. */
static int probe_command(const struct resource *r, struct err *e)
{
	if (r->config->has_command_user)
		return 0;
	return err_set(
		e, RESOURCE,
		"'|%.120s' is a command, and this host runs none for its VMs: set "
		"`command-user = NAME` in qvmd.conf, or write to a FIFO that the command reads",
		r->want->path);
}

/* Not in an opener: it has not the privileges to become somebody else. */
static int make_command(const struct resource *r, int *ret_fd, struct err *e)
{
	if (probe_command(r, e) < 0)
		return -1;
	return command_start(r->want->path, &r->config->command_user, r->worker_fd, ret_fd, e);
}

const struct resource_kind pty_kind = {probe_place, open_pty, NULL};
const struct resource_kind socket_kind = {probe_place, open_socket, NULL};
const struct resource_kind command_kind = {probe_command, NULL, make_command};
