/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - connections to the host that a lone worker's guest asks for: a process beside it keeps the
 * user's rights and the one folder, and ends with the worker's end of the link.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dialer.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

enum { FIRST = 3, LINK = FIRST, FOLDER, FIRST_OTHER };

/* It keeps two descriptors, none of them a terminal or a pipe that somebody waits for the end of. */
static __attribute__((noreturn)) void serve(int link, int folder, const char *prefix)
{
	struct pollfd p = {LINK, POLLIN, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* In two steps, as each may be where the other is to go. */
	link = fcntl(link, F_DUPFD_CLOEXEC, FIRST_OTHER);
	folder = fcntl(folder, F_DUPFD_CLOEXEC, FIRST_OTHER);
	if (null < 0 || link < 0 || folder < 0)
		_exit(1);
	for (int fd = 0; fd < FIRST; fd++)
		dup2(null, fd);
	if (dup2(link, LINK) < 0 || dup2(folder, FOLDER) < 0 || close_range(FIRST_OTHER, ~0u, 0))
		_exit(1);
	signal(SIGINT, SIG_IGN); /* of the terminal: the worker's to hear */
	signal(SIGHUP, SIG_IGN);
	while (poll(&p, 1, -1) < 0 || dialer_serve(LINK, FOLDER, prefix) >= 0)
		;
	_exit(0);
}

/* By way of a child that ends at once, so that nobody has to reap it. */
static int start(int link, int folder, const char *prefix, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			serve(link, folder, prefix);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 || status ? err_sys(e, RESOURCE, "start the process that connects the guest")
				 : 0;
}

int host_open_dial(const struct want *w, const struct board *b, struct err *e)
{
	AUTO_FD int folder = -1;
	const char *name;
	int link[2];

	(void)b;
	if (host_folder(w->path, &name, &folder, e) < 0 || dialer_pair(link, e) < 0)
		return err_wrap(e, "%s (line %u)", w->option, w->line);
	AUTO_FD int its = link[0];
	AUTO_FD int ours = link[1];
	if (start(its, folder, name, e) < 0)
		return err_wrap(e, "%s (line %u)", w->option, w->line);
	*w->fd = TAKE_FD(ours);
	return 0;
}
