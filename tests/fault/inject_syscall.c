/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject_syscall PID NUMBER: attach to a process and make its main thread call a system call, as a
 * hijacked worker would; then let go of it. Exits 0 when the call was made.
 * x86-64 only: the thread sits in a system call, so the two bytes before its rip are `syscall`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	struct user_regs_struct r;
	int status, pid;
	long code;

	if (argc != 3) {
		fprintf(stderr, "usage: inject_syscall PID NUMBER\n");
		return 2;
	}
	pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		return fail("attach");
	if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		return fail("wait for the stop");
	if (ptrace(PTRACE_GETREGS, pid, 0, &r) < 0)
		return fail("read the registers");
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, r.rip - 2, 0);
	if (errno || (code & 0xffff) != 0x050f) {
		fprintf(stderr, "the thread is not in a system call (code %lx)\n", code & 0xffff);
		return 1;
	}
	r.rip -= 2;
	r.rax = strtoull(argv[2], NULL, 0);
	r.orig_rax = (unsigned long long)-1; /* no restart of the interrupted call */
	r.rdi = r.rsi = r.rdx = 0;
	if (ptrace(PTRACE_SETREGS, pid, 0, &r) < 0)
		return fail("write the registers");
	if (ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
		return fail("let go");
	return 0;
}
