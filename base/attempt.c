/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"

/* No exit status says that the body returned, for that is in the reach of whatever runs in it. */
static _Noreturn void perform(attempt_body *body, void *arg, size_t n, int words)
{
	char said[ATTEMPT_MOST] = {0};

	body(arg, said);
	_exit(write(words, said, n) == (ssize_t)n ? EXIT_SUCCESS : EXIT_FAILURE);
}

int attempt_run(attempt_body *body, void *arg, void *ret, size_t n, int *ret_status, struct err *e)
{
	int words[2];
	ssize_t got;
	pid_t child;

	if (pipe2(words, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe");
	AUTO_FD int ours = words[0];
	AUTO_FD int its = words[1];
	child = fork();
	if (child < 0)
		return err_sys(e, RESOURCE, "make a process");
	if (child == 0)
		perform(body, arg, n, its);
	close(TAKE_FD(its));
	do
		got = read(ours, ret, n);
	while (got < 0 && errno == EINTR);
	while (waitpid(child, ret_status, 0) < 0 && errno == EINTR)
		;
	return got == (ssize_t)n ? 0 : 1;
}

const char *attempt_end(int status, char ret[static ATTEMPT_END])
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (name)
		snprintf(ret, ATTEMPT_END, "signal %s", name);
	else
		snprintf(ret, ATTEMPT_END, "%s %d", WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return ret;
}
