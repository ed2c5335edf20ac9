/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/filter.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* The signal that a child dies of which makes that call behind the first filter; 0 = none. */
static int killed_by(bool is_supervised, long nr, const long arg[static 6])
{
	pid_t child = fork();
	struct err e;
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGSYS, SIG_DFL); /* cmocka's */
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_first(is_supervised, &e) < 0)
			_exit(1);
		syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#define KILLED_BY(is_supervised, nr, ...)                                                          \
	killed_by((is_supervised), (nr), (const long[6]){__VA_ARGS__})

TEST(filter_lets_a_worker_signal_no_other_process)
{
	assert_int_equal(KILLED_BY(false, SYS_tgkill, getpid(), getpid(), 0), SIGSYS);
	assert_int_equal(KILLED_BY(false, SYS_kill, getpid(), 0), SIGSYS);
	assert_int_equal(KILLED_BY(false, SYS_fcntl, 0, F_SETOWN, 1), SIGSYS);
	assert_int_equal(KILLED_BY(false, SYS_getpid, 0), 0);
}

TEST(filter_lets_a_lone_worker_send_to_its_system_log_only)
{
	const char address[2] = {AF_UNIX};

	assert_int_equal(KILLED_BY(false, SYS_sendto, -1, 0, 0, 0, (long)address, 2), SIGSYS);
	assert_int_equal(KILLED_BY(false, SYS_sendto, -1, 0, 0, 0, 0, 0), 0);
	assert_int_equal(KILLED_BY(true, SYS_sendto, -1, 0, 0, 0, 0, 0), SIGSYS);
}

TEST(filter_knows_the_ioctls_of_a_worker_and_no_others)
{
	assert_int_equal(KILLED_BY(false, SYS_ioctl, -1, KVM_RUN), 0);
	assert_int_equal(KILLED_BY(false, SYS_ioctl, -1, TIOCSTI), SIGSYS);
	assert_int_equal(KILLED_BY(true, SYS_ioctl, -1, TCSETS), SIGSYS);
}

#ifndef __SANITIZE_ADDRESS__ /* whose runtime needs these */
TEST(filter_lets_no_memory_become_code)
{
	const long flags = MAP_PRIVATE | MAP_ANONYMOUS;

	assert_int_equal(KILLED_BY(true, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, flags, -1, 0),
			 SIGSYS);
	assert_int_equal(KILLED_BY(true, SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC), SIGSYS);
	assert_int_equal(KILLED_BY(true, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, flags, -1, 0),
			 0);
	assert_int_equal(KILLED_BY(true, SYS_prctl, PR_SET_DUMPABLE, 1), SIGSYS);
}
#endif
