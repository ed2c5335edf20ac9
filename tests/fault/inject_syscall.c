/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject_syscall PID NUMBER: attach to a process and make its main thread call a system call, as a
 * hijacked worker would; then let go of it. Exits 0 when the call was made.
 * x86-64 only: the thread sits in a system call, so the two bytes before its rip are `syscall`.
 */
#include <stdlib.h>

#include "tests/fault/tracee.h"

int main(int argc, char **argv)
{
	struct user_regs_struct r;
	int pid;
	long code;

	if (argc != 3) {
		fprintf(stderr, "usage: inject_syscall PID NUMBER\n");
		return 2;
	}
	pid = atoi(argv[1]);
	if (tracee_hold(pid, &r) < 0)
		return 1;
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, r.rip - 2, 0);
	if (errno || (code & 0xffff) != 0x050f) {
		fprintf(stderr, "the thread is not in a system call (code %lx)\n", code & 0xffff);
		return 1;
	}
	r.rip -= 2;
	r.rax = strtoull(argv[2], NULL, 0);
	r.rdi = r.rsi = r.rdx = 0;
	return tracee_go(pid, &r) < 0;
}
