/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/opener.h"

#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sandbox.h"
#include "daemon/worker/blockdev.h"
#include "daemon/worker/process.h"
#include "schemas/message.h"

enum { BURST = 64, ABANDONED_MOST = 32, NS = 1000000000 };

struct opener {
	struct opener_set *set;
	struct opener *next;
	struct opener_spec spec;
	struct process process;
	int link;
	uint64_t stray_bytes;
	uint32_t n_answers;
	bool is_over; /* no more answers are to come */
	bool is_abandoned;
	sd_event_source *link_source, *process_source;
};

/* --- the child --- */

/* What opening takes: any file, in any folder; a TAP. */
static const uint64_t capabilities = UINT64_C(1) << CAP_DAC_OVERRIDE |
				     UINT64_C(1) << CAP_DAC_READ_SEARCH |
				     UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_NET_ADMIN;

static const struct sandbox_allow calls[] = {
	SANDBOX_CALL(openat),
	SANDBOX_CALL(openat2),
	SANDBOX_CALL(close),
	SANDBOX_CALL(readlink),
	SANDBOX_CALL(readlinkat),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL(statx),
	SANDBOX_CALL(statfs),
	SANDBOX_CALL(fstatfs),
	SANDBOX_CALL(access),
	SANDBOX_CALL(faccessat),
	SANDBOX_CALL(faccessat2),
	SANDBOX_CALL(getdents64),
	SANDBOX_CALL(read),
	SANDBOX_CALL(fcntl),
	SANDBOX_CALL(umask),
	SANDBOX_CALL(unlinkat),
	SANDBOX_CALL(mkdirat),
	SANDBOX_CALL(mknodat), /* the FIFO of base/hostports.h */
	SANDBOX_CALL(lseek),   /* localtime_r() in its file; the size of a block device */
	SANDBOX_CALL(sysinfo), /* qsort() of glibc asks how much memory there is */
	SANDBOX_CALL(symlinkat),
	SANDBOX_CALL(memfd_create),
	SANDBOX_CALL(geteuid),
	SANDBOX_ARG(socket, 0, AF_UNIX),
	SANDBOX_CALL(bind),
	SANDBOX_CALL(listen),
	SANDBOX_CALL(connect),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(poll),
	SANDBOX_CALL(mmap),
	SANDBOX_CALL(munmap),
	SANDBOX_CALL(brk),
	SANDBOX_CALL(exit_group),
	/* a process that arms interrupts (base/uio.h), which lives behind this filter too */
	SANDBOX_CALL(clone),
	SANDBOX_CALL(wait4),
	SANDBOX_CALL(set_robust_list),
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(pipe2),
	SANDBOX_CALL(dup3),
	SANDBOX_CALL(close_range),
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(pwrite64),
	SANDBOX_CALL(write),
	SANDBOX_IOCTL(VFIO_GET_API_VERSION),
	SANDBOX_IOCTL(VFIO_CHECK_EXTENSION),
	SANDBOX_IOCTL(VFIO_GROUP_GET_STATUS),
	SANDBOX_IOCTL(VFIO_GROUP_SET_CONTAINER),
	SANDBOX_IOCTL(VFIO_SET_IOMMU),
	SANDBOX_IOCTL(VFIO_GROUP_GET_DEVICE_FD),
	SANDBOX_IOCTL(TUNSETIFF),
	SANDBOX_IOCTL(TUNGETIFF),
	SANDBOX_IOCTL(TUNSETVNETHDRSZ),
	SANDBOX_IOCTL(TUNSETOFFLOAD),
	SANDBOX_IOCTL(SIOCGIFINDEX),
	SANDBOX_IOCTL(TCGETS),
	SANDBOX_IOCTL(TCSETS),
	SANDBOX_IOCTL(TIOCGPTN),
	SANDBOX_IOCTL(TIOCSPTLCK),
	SANDBOX_END,
};

static int narrow(const struct opener_spec *s, struct err *e)
{
	static const struct sandbox_allow *const lists[] = {calls};

	if (!s->finishes)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sandbox_narrow(capabilities | (uint64_t)s->has_raw_io << CAP_SYS_RAWIO, e) < 0)
		return -1;
	return sandbox_filter(lists, NELEMS(lists), e);
}

uint64_t opener_bytes(int fd, const struct stat *st)
{
	off_t end = S_ISREG(st->st_mode)   ? st->st_size
		    : S_ISBLK(st->st_mode) ? lseek(fd, 0, SEEK_END)
					   : 0;

	return end > 0 ? (uint64_t)end : 0;
}

int64_t opener_mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec;
}

/* The child has time. A supervisor that takes no answer has gone: -1. */
static int answer(int link, uint32_t i, const struct err *why, int fd)
{
	struct pollfd room = {.fd = link, .events = POLLOUT};
	struct msg_opened yes = {.index = i, .device = blockdev_of(fd)};
	struct msg_judged judged = {.index = i};
	struct err ignored;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		yes.bytes = opener_bytes(fd, &st);
		yes.mtime_ns = opener_mtime_ns(&st);
	}
	while (poll(&room, 1, -1) < 0 && errno == EINTR)
		;
	if (why)
		judged.err = *why;
	if (fd >= 0)
		return wire_send(link, &message_table, MESSAGE_OPENED, 0, &yes, &fd, 1, &ignored);
	return wire_send(link, &message_table, MESSAGE_JUDGED, 0, &judged, NULL, 0, &ignored);
}

static __attribute__((noreturn)) void child_run(int link, const void *arg)
{
	const struct opener_spec *s = arg;
	int *opened = malloc((s->n + 1) * sizeof *opened);
	struct pollfd end = {.fd = link};
	struct err e = {0};
	bool is_narrow = narrow(s, &e) == 0;

	if (!opened)
		abort();
	for (uint32_t i = 0; i < s->n; i++) {
		int r = -1;

		opened[i] = -1;
		if (is_narrow)
			r = s->work(s->job, i, opened, &opened[i], &e);
		if (answer(link, i, r < 0 ? &e : NULL, opened[i]) < 0) {
			if (s->undo && opened[i] >= 0)
				s->undo(s->job, i, opened);
			_exit(1);
		}
		if (r < 0 && !s->goes_on)
			break;
	}
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* --- the supervisor --- */

static void unlink_from_set(struct opener *o)
{
	struct opener **at = &o->set->first;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->set->n_abandoned -= o->is_abandoned;
}

static void opener_free(struct opener *o)
{
	unlink_from_set(o);
	sd_event_source_disable_unref(o->link_source);
	sd_event_source_disable_unref(o->process_source);
	if (o->link >= 0)
		close(o->link);
	if (o->process.fd >= 0)
		close(o->process.fd);
	free(o);
}

static void tell(struct opener *o, int take_fd, const struct msg_opened *what,
		 const struct err *why)
{
	uint32_t i = o->n_answers++;

	o->is_over = (why && !o->spec.goes_on) || o->n_answers == o->spec.n;
	if (!o->is_abandoned)
		o->spec.answered(o->spec.arg, i, take_fd, what, why);
	else if (take_fd >= 0)
		close(take_fd);
}

static int take(struct opener *o, struct wire_msg *m, struct err *e)
{
	struct msg_judged judged = {0};
	struct msg_opened opened = {0};

	if (m->hdr.type == MESSAGE_OPENED)
		memcpy(&opened, m->body, sizeof opened);
	else
		memcpy(&judged, m->body, sizeof judged);
	if (o->is_over || (m->n_fds ? opened.index : judged.index) != o->n_answers)
		return err_set(e, PROTOCOL, "an opener does not answer item %u, which was due",
			       o->n_answers);
	err_sane(&judged.err);
	tell(o, m->n_fds ? wire_take_fd(m, 0) : -1, &opened, judged.err.code ? &judged.err : NULL);
	return 0;
}

/* 1 = that was one, 0 = nothing is there now, -1 = nothing more will come. */
static int hear(struct opener *o, struct err *e)
{
	struct wire_msg m;
	int r = wire_recv(o->link, &message_table, WIRE_FROM_OPENER, &m, e);

	if (r <= 0)
		return r;
	r = take(o, &m, e);
	wire_close_fds(&m);
	return r < 0 ? -1 : 1;
}

static int on_link(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct opener *o = arg;
	struct err e;
	int r = 1;

	(void)s;
	(void)fd;
	(void)events;
	for (int i = 0; i < BURST && r == 1 && o->link_source; i++)
		r = hear(o, &e);
	if (r == -1 && e.code == ERR_PROTOCOL)
		opener_kill(o);
	if (r == -1)
		o->link_source = sd_event_source_disable_unref(o->link_source);
	return 0;
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct opener *o = arg;
	struct opener_spec spec = o->spec;
	bool is_abandoned;
	int code, status;
	struct err e;

	(void)s;
	(void)fd;
	(void)events;
	while (o->link_source && hear(o, &e) == 1)
		;
	o->process_source = sd_event_source_disable_unref(o->process_source);
	process_reap(&o->process, &code, &status);
	if (!o->is_over) {
		err_set(&e, INTERNAL, "what opens it ended with %s %d%s",
			code == CLD_EXITED ? "status" : "signal", status,
			code != CLD_EXITED && status == SIGSYS ? ", for a forbidden system call"
							       : "");
		o->spec.goes_on = false;
		tell(o, -1, &(struct msg_opened){0}, &e);
	}
	is_abandoned = o->is_abandoned;
	opener_free(o);
	if (!is_abandoned)
		spec.gone(spec.arg);
	return 0;
}

static void watch_process(struct opener *o)
{
	if (sd_event_add_io(o->set->loop, &o->process_source, o->process.fd, EPOLLIN, on_process,
			    o) < 0)
		abort(); /* out of memory: crash-only */
}

int opener_spawn(struct opener_set *s, const struct opener_spec *spec, struct opener **ret,
		 struct err *e)
{
	struct opener *o;
	int link[2];

	if (s->n_abandoned >= ABANDONED_MOST)
		return err_set(e, LIMIT,
			       "%u processes that open files hang in the kernel: find out which "
			       "file system does not answer",
			       s->n_abandoned);
	if (wire_pair(link, e) < 0)
		return -1;
	o = calloc(1, sizeof *o);
	if (!o)
		abort();
	*o = (struct opener){
		.set = s, .spec = *spec, .link = link[0], .next = s->first, .process.fd = -1};
	AUTO_FD int its_link = link[1];
	int fd[PROCESS_FDS] = {its_link};
	s->first = o;
	if (spec->n_keep >= NELEMS(fd)) {
		opener_free(o);
		return err_set(e, INTERNAL, "an opener with %u descriptors", spec->n_keep);
	}
	for (unsigned i = 0; i < spec->n_keep; i++)
		fd[1 + i] = spec->keep[i];
	if (process_fork(child_run, &o->spec, fd, spec->n_keep + 1, &o->process, e) < 0) {
		opener_free(o);
		return -1;
	}
	watch_process(o);
	if (sd_event_add_io(s->loop, &o->link_source, o->link, EPOLLIN, on_link, o) < 0)
		abort(); /* out of memory: crash-only */
	*ret = o;
	return 0;
}

uint32_t opener_pending(const struct opener *o)
{
	return o->is_over ? o->spec.n : o->n_answers;
}

void opener_release(struct opener *o)
{
	o->is_over = true;
	o->link_source = sd_event_source_disable_unref(o->link_source);
	if (o->link >= 0)
		close(o->link);
	o->link = -1;
}

void opener_kill(struct opener *o)
{
	if (!o->spec.finishes)
		process_kill(&o->process);
}

void opener_abandon(struct opener *o)
{
	struct err e;

	while (o->spec.finishes && o->link_source && hear(o, &e) == 1)
		;
	opener_kill(o);
	opener_release(o);
	o->is_abandoned = true;
	o->set->n_abandoned++;
}

void opener_stray(struct opener_set *s, struct process *take, uint64_t bytes)
{
	struct opener *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	*o = (struct opener){.set = s,
			     .next = s->first,
			     .process = *take,
			     .link = -1,
			     .stray_bytes = bytes,
			     .is_over = true,
			     .is_abandoned = true};
	*take = (struct process){.fd = -1};
	s->first = o;
	s->n_abandoned++;
	watch_process(o);
}

uint64_t opener_stray_bytes(const struct opener_set *s)
{
	uint64_t sum = 0;

	for (const struct opener *o = s->first; o; o = o->next)
		sum += o->stray_bytes;
	return sum;
}

void opener_clear(struct opener_set *s)
{
	while (s->first) {
		opener_kill(s->first);
		opener_free(s->first);
	}
}
