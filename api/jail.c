/* SPDX-License-Identifier: Apache-2.0 */
#include "api/jail.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/sandbox.h"
#include "base/str.h"

enum { MAP_TEXT = 4096, DIED_OF_SIGSYS = 128 + SIGSYS };

/* "inside outside count" lines of this namespace, as "inside inside count" for a child of it. */
static int same_map(const char *path, char *ret, size_t cap)
{
	AUTO_FILE FILE *f = fopen(path, "re");
	unsigned inside, outside, count;
	size_t n = 0;

	ret[0] = '\0';
	while (f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		str_add(ret, cap, &n, "%u %u %u\n", inside, inside, count);
	return n ? 0 : -1;
}

static int write_map(pid_t of, const char *name, const char *text)
{
	char path[48];
	AUTO_FD int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/%s", of, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Only a process outside of a user namespace may map more than one id into it. */
_Noreturn static void map_parent(pid_t parent, int begin)
{
	char uids[MAP_TEXT], gids[MAP_TEXT], go;

	if (read(begin, &go, 1) != 1)
		_exit(0); /* no namespace was made */
	_exit(same_map("/proc/self/uid_map", uids, sizeof uids) < 0 ||
	      same_map("/proc/self/gid_map", gids, sizeof gids) < 0 ||
	      write_map(parent, "uid_map", uids) < 0 || write_map(parent, "gid_map", gids) < 0);
}

/* *ret_made = SANDBOX_USER_NS, or 0 where the host forbids user namespaces. */
static int make_user_namespace(uint32_t *ret_made, struct err *e)
{
	AUTO_FD int begin = -1, go = -1;
	pid_t self = getpid(), helper;
	int pipe_fd[2], status = -1, made;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe");
	begin = pipe_fd[0];
	go = pipe_fd[1];
	helper = fork();
	if (helper < 0)
		return err_sys(e, RESOURCE, "fork the helper that maps the user namespace");
	if (helper == 0) {
		close(go);
		map_parent(self, begin);
	}
	made = unshare(CLONE_NEWUSER) == 0;
	if (made && write(go, "", 1) != 1)
		made = -1;
	close(TAKE_FD(go));
	while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
		;
	if (made < 0 || status != 0)
		return err_set(e, RESOURCE, "map the ids of the user namespace onto themselves");
	*ret_made = made ? SANDBOX_USER_NS : 0;
	return 0;
}

int jail_enter(const struct jail_spec *s, uint32_t *ret_layers, struct err *e)
{
	struct sandbox_spec spec = {
		.uid = s->uid,
		.gid = s->gid,
		.max_fds = s->max_fds,
		.max_threads = 1,
		.keep_dir = s->state_dir,
	};
	bool is_root = geteuid() == 0;
	uint32_t made = 0;

	if (!is_root) /* an ordinary user has no other uid to become */
		spec.uid = spec.gid = 0;
	if (is_root && make_user_namespace(&made, e) < 0)
		return -1;
	/* Claimed in any case: an empty namespace made at the end would turn all callers to nobody. */
	if (is_root)
		spec.made = SANDBOX_USER_NS;
	if (sandbox_enter(&spec, ret_layers, e) < 0)
		return -1;
	if (is_root && !made)
		*ret_layers &= ~(uint32_t)SANDBOX_USER_NS;
	/* Who hangs does not see its link close. After the uid: its change forgets the signal. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, RESOURCE, "end with the supervisor");
	return 0;
}

/* Async-signal-safe: names the call and dies. */
static void on_forbidden(int signal, siginfo_t *i, void *context)
{
	char line[64] = "qvm-api: forbidden system call ", digits[12];
	unsigned nr = (unsigned)i->si_syscall;
	size_t n = strlen(line), d = sizeof digits;

	(void)signal;
	(void)context;
	do
		digits[--d] = (char)('0' + nr % 10);
	while (nr /= 10);
	memcpy(line + n, digits + d, sizeof digits - d);
	n += sizeof digits - d;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		_exit(DIED_OF_SIGSYS);
	_exit(DIED_OF_SIGSYS);
}

#define FCNTL(command)                                                                             \
	{                                                                                          \
		SYS_fcntl, 1, (command)                                                            \
	}

static const struct sandbox_allow allowed[] = {
	/* connections and the link */
	SANDBOX_CALL(accept4),
	SANDBOX_CALL(recvfrom),
	SANDBOX_CALL(recvmsg),
	SANDBOX_CALL(sendto),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(shutdown),
	SANDBOX_CALL(socketpair), /* of a WebSocket under TLS */
	SANDBOX_CALL(getsockopt),
	SANDBOX_CALL(setsockopt),
	SANDBOX_CALL(getsockname),
	/* the loop */
	SANDBOX_CALL(epoll_create1), /* of the TLS door, when it opens */
	SANDBOX_CALL(epoll_wait),
	SANDBOX_CALL(epoll_pwait),
	SANDBOX_CALL(epoll_ctl),
	SANDBOX_CALL(timerfd_create),
	SANDBOX_CALL(timerfd_settime),
	SANDBOX_CALL(signalfd4),
	/* files: SQLite below /state, memfds, eventfds, stderr */
	SANDBOX_CALL(openat),
	SANDBOX_CALL(close),
	SANDBOX_CALL(read),
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(write),
	SANDBOX_CALL(writev),
	SANDBOX_CALL(lseek),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(lstat),
	SANDBOX_CALL(stat),
	SANDBOX_CALL(readlink),
	SANDBOX_CALL(access),
	SANDBOX_CALL(getcwd),
	SANDBOX_CALL(memfd_create),
	FCNTL(F_GETFD),
	FCNTL(F_SETFD),
	FCNTL(F_GETFL),
	FCNTL(F_SETFL),
	FCNTL(F_GETLK),
	FCNTL(F_SETLK),
	FCNTL(F_ADD_SEALS),
	FCNTL(F_GET_SEALS),
	/* memory, which PR_SET_MDWE keeps from becoming code */
	SANDBOX_CALL(mmap),
	SANDBOX_CALL(munmap),
	SANDBOX_CALL(mremap),
	SANDBOX_CALL(mprotect),
	SANDBOX_CALL(madvise),
	SANDBOX_CALL(brk),
	SANDBOX_CALL(sysinfo), /* of the host; and of qsort(), for more than a little */
	SANDBOX_CALL(fstatfs),
	/* the process itself */
	SANDBOX_CALL(futex),
	SANDBOX_CALL(clock_gettime),
	SANDBOX_CALL(gettimeofday),
	SANDBOX_CALL(clock_nanosleep),
	SANDBOX_CALL(nanosleep),
	SANDBOX_CALL(getrandom),
	SANDBOX_CALL(getpid),
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(geteuid),
	SANDBOX_CALL(rt_sigaction),
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(rt_sigreturn),
	SANDBOX_CALL(sigaltstack),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(exit),
	SANDBOX_CALL(exit_group),
	SANDBOX_END,
};

int jail_filter(uint32_t *layers, struct err *e)
{
	const struct sandbox_allow *list[] = {allowed};
	struct sigaction a = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGSYS, &a, NULL) < 0)
		return err_sys(e, INTERNAL, "handle SIGSYS");
	if (sandbox_filter(list, NELEMS(list), e) < 0)
		return -1;
	*layers |= SANDBOX_SECCOMP;
	return 0;
}
