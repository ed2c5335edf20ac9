/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/forbidden.h"

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "vmm/worker/terminal.h"

enum { STACK_BYTES = 32 * 1024 };

/* Read by a signal handler, so it lives at file scope. */
static _Atomic(_Atomic int32_t *) place;

static void say(int number)
{
	char text[] = "qvm: the sandbox forbids system call ....; dying of it\n";
	char *digit = text + sizeof "qvm: the sandbox forbids system call ..." - 1;

	for (int i = 0; i < 4; i++, number /= 10)
		*digit-- = number || i == 0 ? (char)('0' + number % 10) : ' ';
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
}

/*
 * SIGSYS is blocked in here, so making the same call again lets the kernel deliver it by force: it
 * then kills the process as if nothing had been caught, even one that is PID 1 of its namespace, and
 * the parent sees SIGSYS.
 */
static void die_of_it(int sig, siginfo_t *info, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	_Atomic int32_t *box = atomic_load(&place);

	(void)sig;
	terminal_restore();
	if (box)
		atomic_store(box, info->si_syscall + 1);
	else
		say(info->si_syscall);
	syscall(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8],
		r[REG_R9]);
	/* Reached only if SIGSYS came from somewhere else than the filter. */
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

int forbidden_catch(struct err *e)
{
	struct sigaction a = {.sa_sigaction = die_of_it, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static char bytes[STACK_BYTES];
	const stack_t stack = {.ss_sp = bytes, .ss_size = sizeof bytes};

	sigfillset(&a.sa_mask);
	if (sigaltstack(&stack, NULL) < 0 || sigaction(SIGSYS, &a, NULL) < 0)
		return err_sys(e, INTERNAL, "catch SIGSYS");
	return 0;
}

void forbidden_record(_Atomic int32_t *box)
{
	atomic_store(&place, box);
}
