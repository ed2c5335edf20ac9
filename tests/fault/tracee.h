/* SPDX-License-Identifier: Apache-2.0 */
/* tracee.h - hold the main thread of a process by ptrace while it sits in a system call. x86-64 only. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* 0 with its registers, which no longer restart the call that was interrupted. */
static inline int tracee_hold(int pid, struct user_regs_struct *ret)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
	    waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_GETREGS, pid, 0, ret) < 0) {
		perror("hold the process");
		return -1;
	}
	ret->orig_rax = (unsigned long long)-1;
	return 0;
}

static inline int tracee_go(int pid, const struct user_regs_struct *r)
{
	if (ptrace(PTRACE_SETREGS, pid, 0, r) < 0 || ptrace(PTRACE_DETACH, pid, 0, 0) < 0) {
		perror("let the process go");
		return -1;
	}
	return 0;
}
