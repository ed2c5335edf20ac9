/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/trial.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"

/* The word that says it is alive is the only way to the first return: no exit status is out of an object's reach. */
static _Noreturn void undergo(const char *path, int words)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(nowhere, fd);
	(void)dlopen(path, RTLD_NOW | RTLD_LOCAL);
	_exit(write(words, "", 1) == 1 ? 0 : 1);
}

static int judge(bool is_alive, int status, struct err *e)
{
	if (is_alive)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(
			e, CONFIG, "it crashes when it is loaded (SIG%s); mend its constructors",
			sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
	return err_set(e, CONFIG,
		       "it ends the process that loads it with status %d; mend its constructors",
		       WEXITSTATUS(status));
}

int trial_load(const char *path, struct err *e)
{
	int words[2], status = 0;
	ssize_t n;
	pid_t child;
	char word;

	if (pipe2(words, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe");
	AUTO_FD int ours = words[0];
	AUTO_FD int its = words[1];
	child = fork();
	if (child < 0)
		return err_sys(e, RESOURCE, "make a process that loads it first");
	if (child == 0)
		undergo(path, its);
	close(TAKE_FD(its));
	do
		n = read(ours, &word, 1);
	while (n < 0 && errno == EINTR);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return judge(n == 1, status, e);
}
