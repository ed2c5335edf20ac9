/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

enum { FIRST_OTHER = 3, AGAIN_MS = 10 };

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

/* Those that their parents left behind are ours too, one generation after the other. */
static void kill_children(void)
{
	AUTO_FILE FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
}

/* True: nobody is left. */
static bool reap(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

static __attribute__((noreturn)) void watch(int life_fd, int children_fd)
{
	struct pollfd p[] = {{life_fd, POLLIN, 0}, {children_fd, POLLIN, 0}};
	uint64_t until_ms = UINT64_MAX;
	struct signalfd_siginfo s;

	while (!reap()) {
		uint64_t now_ms = clock_mono_ms();

		if (now_ms >= until_ms) {
			kill_children();
			until_ms = now_ms + AGAIN_MS;
		}
		if (poll(p, NELEMS(p), until_ms == UINT64_MAX ? -1 : (int)(until_ms - now_ms)) < 0)
			continue;
		if (p[0].revents) {
			p[0].fd = -1;
			until_ms = clock_mono_ms() + COMMAND_GRACE_MS;
		}
		if (p[1].revents)
			(void)!read(children_fd, &s, sizeof s); /* reap() does the rest */
	}
	_exit(0);
}

/* Of what it was born with it keeps two descriptors; the pipe above all is not its. */
static void keep_only(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high - low > 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0u, 0);
}

static __attribute__((noreturn)) void ward(const char *text, const struct command_user *u,
					   int input, int life_fd, int told_fd)
{
	sigset_t child;
	int children_fd;
	pid_t pid;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	children_fd = signalfd(-1, &child, SFD_CLOEXEC);
	if (children_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0)
		run(text, u, input);
	if (pid < 0 || write(told_fd, "", 1) != 1)
		_exit(1);
	keep_only(life_fd, children_fd);
	watch(life_fd, children_fd);
}

/* By way of a child that ends at once, so that nobody has to reap the warden. */
static __attribute__((noreturn)) void begin(const char *text, const struct command_user *u,
					    int input, int life_fd)
{
	int told[2];
	pid_t pid;
	char word;

	if (setsid() < 0 || pipe2(told, O_CLOEXEC) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0)
		ward(text, u, input, life_fd, told[1]);
	close(told[1]);
	_exit(pid < 0 || read(told[0], &word, 1) != 1);
}

int command_start(const char *text, const struct command_user *user, int life_fd, int *ret_fd,
		  struct err *e)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe for the command '%s'", text);
	AUTO_FD int input = ends[0];
	AUTO_FD int output = ends[1];
	pid = fork();
	if (pid == 0)
		begin(text, user, input, life_fd);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || status || fcntl(output, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, RESOURCE, "start the command '%s'", text);
	*ret_fd = TAKE_FD(output);
	return 0;
}
