/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hookrun.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/trust.h"
#include "daemon/config.h"
#include "daemon/worker/cgroup.h"
#include "daemon/worker/process.h"

enum { CPU_SECONDS = 10, FILE_BYTES = 16 << 20, CGROUP_FD = 4 };

static void limit(int what, rlim_t value)
{
	const struct rlimit l = {value, value};

	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		_exit(PROCESS_NO_EXEC);
}

/* Code that runs with somebody's rights: only root's own, or ours. */
static int check(const struct hookrun *c, struct err *e)
{
	AUTO_FD int folder = trust_open_folder(c->config->hook_folder, e);
	AUTO_FD int file = -1;

	if (folder < 0)
		return -1;
	file = openat(folder, strrchr(c->program, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return err_sys(e, RESOURCE, "open '%s'", c->program);
	return trust_check(file, c->program, 0, e);
}

static __attribute__((noreturn)) void become_hook(const struct hookrun *c, int link)
{
	char *const argv[] = {(char *)(uintptr_t)c->program, NULL};
	sigset_t none;
	struct err e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Its folder may not answer: the deadline holds for that, too. */
	if (check(c, &e) < 0) {
		dprintf(link, "%s", e.msg);
		_exit(PROCESS_NO_EXEC);
	}
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, CPU_SECONDS);
	limit(RLIMIT_FSIZE, FILE_BYTES);
	limit(RLIMIT_AS, HOOKRUN_MEMORY);
	limit(RLIMIT_NOFILE, 64);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(link, fd) < 0)
			_exit(PROCESS_NO_EXEC);
	if (c->config->hook_user.uid &&
	    (setgroups(0, NULL) < 0 || setgid(c->config->hook_user.gid) < 0 ||
	     setuid(c->config->hook_user.uid) < 0))
		_exit(PROCESS_NO_EXEC);
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    chdir("/") < 0 || close_range(3, ~0u, 0) < 0)
		_exit(PROCESS_NO_EXEC);
	/* Of all that its user has, where no cgroup counts. */
	limit(RLIMIT_NPROC, HOOKRUN_PIDS);
	execve(c->program, argv, c->environment);
	_exit(PROCESS_NO_EXEC);
}

/* The first process of a namespace takes all others with it, however it ends; then it is reaped, and they
 * have gone. SIGTERM ends it, whether it is there already or not: of qvmd, or of the kernel when that dies. */
static __attribute__((noreturn)) void wait_for(pid_t pid, const sigset_t *wanted)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid)
		if (sigwaitinfo(wanted, NULL) == SIGTERM)
			kill(pid, SIGKILL);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void run_hook(int link, const void *arg)
{
	const struct hookrun *c = arg;
	sigset_t wanted;
	pid_t pid;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (c->cgroup >= 0 && !cgroup_enter(CGROUP_FD))
		_exit(PROCESS_NO_EXEC);
	if (unshare(CLONE_NEWPID | CLONE_NEWIPC) < 0) {
		if (geteuid() == 0)
			_exit(PROCESS_NO_EXEC);
		become_hook(c, link); /* an ordinary user's: no more than cgroup and deadline */
	}
	pid = fork();
	if (pid == 0)
		become_hook(c, link);
	if (pid < 0)
		_exit(PROCESS_NO_EXEC);
	wait_for(pid, &wanted);
}

int hookrun_spawn(const struct hookrun *r, int link, struct process *ret, struct err *e)
{
	const int fd[] = {link, r->cgroup};

	return process_fork(run_hook, r, fd, r->cgroup >= 0 ? 2 : 1, ret, e);
}
