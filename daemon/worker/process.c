/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/hostports.h"

enum { FIRST = 3 };    /* descriptor beyond the standard ones */
#ifndef PIDFD_GET_INFO /* newer than Debian 12's headers; the kernel is asked at run time */
struct pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO	_IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT UINT64_C(8)
_Static_assert(sizeof(struct pidfd_info) == 64, "as the kernel knows it");
#endif

/* Made before clone3: the child must not format text. */
struct child {
	const struct process_spec *spec;
	char uid_map[32], gid_map[32]; /* "" = no user namespace */
	int null;
};

static bool child_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool child_limits(const struct process_spec *s)
{
	for (unsigned i = 0; i < s->n_limits; i++) {
		struct rlimit l;

		if (getrlimit((__rlimit_resource_t)s->limit[i].what, &l) < 0)
			return false;
		if (s->limit[i].value < l.rlim_max)
			l.rlim_max = s->limit[i].value;
		l.rlim_cur = l.rlim_max;
		if (setrlimit((__rlimit_resource_t)s->limit[i].what, &l) < 0)
			return false;
	}
	return true;
}

/* All sources first move out of the way of their targets, which begin with `first`. */
static bool child_place(int *source, unsigned n, unsigned first)
{
	for (unsigned i = 0; i < n; i++)
		if ((source[i] = fcntl(source[i], F_DUPFD_CLOEXEC, 3 + PROCESS_FDS)) < 0)
			return false;
	for (unsigned i = 0; i < n; i++)
		if (dup2(source[i], (int)(first + i)) < 0)
			return false;
	return close_range(first + n, ~0u, 0) == 0;
}

static bool child_fds(const struct child *c)
{
	const struct process_spec *s = c->spec;
	int source[3 + PROCESS_FDS] = {c->null, s->words >= 0 ? s->words : c->null,
				       s->words >= 0 ? s->words : c->null};

	for (unsigned i = 0; i < s->n_fds; i++)
		source[3 + i] = s->fd[i];
	return child_place(source, 3 + s->n_fds, 0);
}

static __attribute__((noreturn)) void child_run(const struct child *c)
{
	static char path[] = "PATH=/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
	static char *const environment[] = {path, lang, NULL};
	sigset_t none;

	/* CLONE_CLEAR_SIGHAND leaves what is ignored as it is. */
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (c->uid_map[0] && !(child_write("/proc/self/setgroups", "deny") &&
			       child_write("/proc/self/uid_map", c->uid_map) &&
			       child_write("/proc/self/gid_map", c->gid_map)))
		_exit(PROCESS_NO_EXEC);
	if (child_limits(c->spec) && child_fds(c))
		execve(c->spec->program, c->spec->argv, environment);
	_exit(PROCESS_NO_EXEC);
}

/* A field from the third on; the name in the second may hold spaces and parentheses. */
static int read_stat(pid_t pid, int number, uint64_t *ret)
{
	char path[32], text[1024];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (n = read(fd, text, sizeof text - 1)) <= 0)
		return -1;
	text[n] = '\0';
	p = strrchr(text, ')');
	for (int field = 2; p && field < number; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%" SCNu64, ret) == 1 ? 0 : -1;
}

static int read_start(pid_t pid, uint64_t *ret)
{
	return read_stat(pid, 22, ret);
}

static void close_ports(const struct process_spec *s)
{
	struct err ignored;

	for (unsigned i = 0; i < s->n_ports; i++)
		hostports_permit(&s->ports[i], false, &ignored);
}

/* They are inherited from this very thread, which has them until the child is made. */
static int open_ports(const struct process_spec *s, struct err *e)
{
	for (unsigned i = 0; i < s->n_ports; i++) {
		if (hostports_permit(&s->ports[i], true, e) == 0)
			continue;
		close_ports(s);
		return -1;
	}
	return 0;
}

int process_spawn(const struct process_spec *s, struct process *ret, struct err *e)
{
	AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct child c = {.spec = s, .null = null};
	int pidfd = -1;
	struct clone_args a = {
		.flags = s->namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (null < 0)
		return err_sys(e, RESOURCE, "open '/dev/null'");
	if (s->n_fds > PROCESS_FDS)
		return err_set(e, INTERNAL, "spawn '%s' with %u descriptors", s->program, s->n_fds);
	if (access(s->program, X_OK) < 0)
		return err_sys(e, RESOURCE, "execute '%s'", s->program);
	if (s->namespaces & CLONE_NEWUSER) {
		snprintf(c.uid_map, sizeof c.uid_map, "0 %u 1", geteuid());
		snprintf(c.gid_map, sizeof c.gid_map, "0 %u 1", getegid());
	}
	if (s->cgroup >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)s->cgroup;
	}
	if (open_ports(s, e) < 0)
		return -1;
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid == 0)
		child_run(&c);
	if (pid < 0)
		err_sys(e, RESOURCE, "clone a process for '%s'", s->program);
	close_ports(s);
	if (pid < 0)
		return -1;
	*ret = (struct process){.pid = pid, .fd = pidfd};
	/* Not reaped yet, so the pid cannot be another's. */
	if (read_start(pid, &ret->start) < 0)
		ret->start = 0;
	return 0;
}

int process_fork(void (*run)(int link, const void *arg), const void *arg, const int *fd, unsigned n,
		 struct process *ret, struct err *e)
{
	int source[PROCESS_FDS];
	int pidfd = -1;
	struct clone_args a = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (n > PROCESS_FDS)
		return err_set(e, INTERNAL, "fork with %u descriptors", n);
	memcpy(source, fd, n * sizeof *fd);
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid < 0)
		return err_sys(e, RESOURCE, "clone a process");
	if (pid > 0) {
		*ret = (struct process){.pid = pid, .fd = pidfd};
		return 0;
	}
	setsid();
	if (child_place(source, n, FIRST))
		run(FIRST, arg);
	_exit(PROCESS_NO_EXEC);
}

void process_signal(const struct process *p, int signal)
{
	if (p->fd >= 0)
		syscall(SYS_pidfd_send_signal, p->fd, signal, NULL, 0);
}

void process_kill(const struct process *p)
{
	process_signal(p, SIGKILL);
}

/* Linux 6.15: a pidfd that was open when its process was reaped tells how it ended. */
static bool ask_pidfd(int fd, int *ret_wait)
{
	struct pidfd_info i = {.mask = PIDFD_INFO_EXIT};

	if (ioctl(fd, PIDFD_GET_INFO, &i) < 0 || !(i.mask & PIDFD_INFO_EXIT))
		return false;
	*ret_wait = i.exit_code;
	return true;
}

/* A zombie, while whoever has inherited it has not reaped it: field 52. */
static bool ask_proc(const struct process *p, int *ret_wait)
{
	uint64_t start = 0, wait = 0;

	if (read_stat(p->pid, 22, &start) < 0 || read_stat(p->pid, 52, &wait) < 0 ||
	    (p->start && start != p->start))
		return false;
	*ret_wait = (int)wait;
	return true;
}

static void learn_end(const struct process *p, int *ret_code, int *ret_status)
{
	int wait;

	*ret_code = *ret_status = 0;
	/* Between the two looks it may have been reaped. */
	if (!ask_pidfd(p->fd, &wait) && !ask_proc(p, &wait) && !ask_pidfd(p->fd, &wait))
		return;
	*ret_code = WIFEXITED(wait) ? CLD_EXITED : CLD_KILLED;
	*ret_status = WIFEXITED(wait) ? WEXITSTATUS(wait) : WTERMSIG(wait);
}

static uint64_t ms_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_usec / 1000;
}

void process_reap(struct process *p, int *ret_code, int *ret_status)
{
	struct rusage used = {0};
	siginfo_t si = {0};
	int r;

	do /* the system call itself: glibc's has no usage */
		r = (int)syscall(SYS_waitid, P_PIDFD, p->fd, &si, WEXITED, &used);
	while (r < 0 && errno == EINTR);
	*ret_code = si.si_code;
	*ret_status = si.si_status;
	if (r < 0)
		learn_end(p, ret_code, ret_status);
	close(p->fd);
	*p = (struct process){.fd = -1,
			      .cpu_ms = ms_of(&used.ru_utime) + ms_of(&used.ru_stime),
			      .peak_bytes = (uint64_t)used.ru_maxrss * 1024};
}

int process_open(pid_t pid, struct process *ret, struct err *e)
{
	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t start;

	if (fd < 0 || read_start(pid, &start) < 0)
		return err_sys(e, RESOURCE, "hold process %d", pid);
	*ret = (struct process){.pid = pid, .fd = TAKE_FD(fd), .start = start};
	return 0;
}

bool process_has_ended(const struct process *p)
{
	struct pollfd gone = {.fd = p->fd, .events = POLLIN};

	return poll(&gone, 1, 0) == 1;
}

int process_find(pid_t pid, uint64_t start, struct process *ret, struct err *e)
{
	AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd gone = {.fd = fd, .events = POLLIN};
	uint64_t now;

	if (fd < 0 && (errno == ESRCH || errno == EINVAL))
		return 0;
	if (fd < 0)
		return err_sys(e, RESOURCE, "hold process %d", pid);
	/* With the pidfd held the number is read of this very process, or of none. */
	if (poll(&gone, 1, 0) == 1 || read_start(pid, &now) < 0 || now != start)
		return 0;
	*ret = (struct process){.pid = pid, .fd = TAKE_FD(fd), .start = start};
	return 1;
}
