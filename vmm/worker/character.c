/* SPDX-License-Identifier: Apache-2.0 */
/*
 * character - as daemon/worker/character.c, with the rights of the user of a lone worker, before its
 * sandbox closes.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/command.h"
#include "base/listener.h"
#include "base/pty.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

static int about(const struct want *w, struct err *e)
{
	return err_wrap(e, "%s (line %u)", w->option, w->line);
}

int host_open_pty(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int folder = -1;
	AUTO_FD int fd = -1;
	const char *name;

	(void)b;
	if (pty_open(&fd, e) < 0)
		return about(w, e);
	if (w->path[0] && (host_folder(w->path, &name, &folder, e) < 0 ||
			   pty_link(fd, folder, name, w->path, e) < 0))
		return about(w, e);
	*w->fd = TAKE_FD(fd);
	return 0;
}

int host_open_socket(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int folder = -1;
	const char *name;

	(void)b;
	if (host_folder(w->path, &name, &folder, e) < 0 ||
	    listener_open(folder, name, w->path, w->fd, e) < 0)
		return about(w, e);
	return 0;
}

int host_open_command(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)b;
	if (self < 0)
		return err_sys(e, RESOURCE, "hold this process, with which '|%s' is to end",
			       w->path);
	return command_start(w->path, &(struct command_user){0}, self, w->fd, e) < 0 ? about(w, e)
										     : 0;
}
