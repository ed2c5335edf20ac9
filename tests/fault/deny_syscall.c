/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny_syscall PID NUMBER ERRNO [SKIP]: the next call of that number by the main thread of a process, after
 * SKIP others of it, is not made and returns -ERRNO, as on a host that has run out of something. Then it is
 * let go. Says "ready" when it has hold of the process, and exits 0 when the call was denied. x86-64 only.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "tests/fault/tracee.h"

/* To the next entry into or exit from a system call; other stops are passed on. */
static bool next_stop(int pid)
{
	int status, signal = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 ||
		    waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			return true;
		signal = status >> 16 ? 0 : WSTOPSIG(status);
	}
}

int main(int argc, char **argv)
{
	long skip = argc == 5 ? atol(argv[4]) : 0;
	struct user_regs_struct r;
	int pid, status;

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: deny_syscall PID NUMBER ERRNO [SKIP]\n");
		return 2;
	}
	pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) < 0) {
		perror("hold the process");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (next_stop(pid)) {
		struct __ptrace_syscall_info i;

		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, &i) < 0 ||
		    i.op != PTRACE_SYSCALL_INFO_ENTRY || i.entry.nr != strtoull(argv[2], NULL, 0) ||
		    skip-- > 0)
			continue;
		if (ptrace(PTRACE_GETREGS, pid, 0, &r) < 0)
			break;
		r.orig_rax = (unsigned long long)-1;
		if (ptrace(PTRACE_SETREGS, pid, 0, &r) < 0 || !next_stop(pid) ||
		    ptrace(PTRACE_GETREGS, pid, 0, &r) < 0)
			break;
		r.rax = (unsigned long long)-atol(argv[3]);
		return tracee_go(pid, &r) < 0;
	}
	perror("follow the process");
	return 1;
}
