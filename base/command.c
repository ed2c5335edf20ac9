/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"

enum { FIRST_OTHER = 3 };

static bool become(const struct command_user *u)
{
	return !u->uid || (setgroups(0, NULL) == 0 && setgid(u->gid) == 0 && setuid(u->uid) == 0);
}

/* What it needs is all it gets: three descriptors, no signal ignored or held back. */
static __attribute__((noreturn)) void run(const char *text, const struct command_user *u, int input)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, STDIN_FILENO) >= 0 && close_range(FIRST_OTHER, ~0u, 0) == 0 && become(u))
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

int command_start(const char *text, const struct command_user *user, int *ret_fd, struct err *e)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe for the command '%s'", text);
	AUTO_FD int input = ends[0];
	AUTO_FD int output = ends[1];
	/* By way of a child that ends at once, so that nobody has to reap the command. */
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			run(text, user, input);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || status || fcntl(output, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, RESOURCE, "start the command '%s'", text);
	*ret_fd = TAKE_FD(output);
	return 0;
}
