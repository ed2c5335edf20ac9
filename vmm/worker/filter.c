/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/filter.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sandbox.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/iothread.h"
#include "vmm/vdev/vdev.h"
#include "vmm/worker/link.h"

/* A machine that runs, and the end of the process. */
static const struct sandbox_allow running[] = {
	/* memory of the process: malloc, and the stacks of threads that end */
	SANDBOX_CALL(brk),
	SANDBOX_CALL(madvise),
	SANDBOX_ARG(mmap, 2, PROT_NONE), /* never to be executed, MDWE or not */
	SANDBOX_ARG(mmap, 2, PROT_READ | PROT_WRITE),
	SANDBOX_ARG(mprotect, 2, PROT_NONE),
	SANDBOX_ARG(mprotect, 2, PROT_READ | PROT_WRITE), /* a thread's heap grows */
	SANDBOX_CALL(munmap),
	/* threads, their locks and signals */
	SANDBOX_CALL(exit),
	SANDBOX_CALL(exit_group),
	SANDBOX_CALL(futex),
	SANDBOX_CALL(getpid),
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(rt_sigaction), /* abort() */
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(rt_sigreturn),
	/* fds that are already here */
	SANDBOX_CALL(close),
	SANDBOX_CALL(fstat), /* how much memory the guest has taken */
	SANDBOX_CALL(ppoll),
	SANDBOX_CALL(pread64), /* KVM's counters */
	SANDBOX_CALL(read),
	SANDBOX_CALL(write),
	SANDBOX_CALL(writev),
	SANDBOX_CALL(clock_gettime), /* where the vDSO has no clock */
	SANDBOX_IOCTL(KVM_RUN),
	SANDBOX_IOCTL(KVM_IRQ_LINE),
	SANDBOX_IOCTL(KVM_KVMCLOCK_CTRL),
	SANDBOX_IOCTL(KVM_NMI),
	SANDBOX_IOCTL(KVM_GET_FPU),
	SANDBOX_IOCTL(KVM_GET_MP_STATE),
	SANDBOX_IOCTL(KVM_GET_MSRS),
	SANDBOX_IOCTL(KVM_GET_REGS),
	SANDBOX_IOCTL(KVM_GET_SREGS),
	SANDBOX_IOCTL(KVM_GET_VCPU_EVENTS),
	SANDBOX_IOCTL(KVM_SET_REGS),
	SANDBOX_IOCTL(KVM_SET_VCPU_EVENTS),
	SANDBOX_IOCTL(KVM_SIGNAL_MSI),
	SANDBOX_END,
};

/* The door of a supervised worker: its link. */
static const struct sandbox_allow linked[] = {
	SANDBOX_CALL(recvmsg),
	SANDBOX_ARG(sendmsg, 0, LINK_FD), /* no descriptor leaves by another socket */
	SANDBOX_END,
};

/* The doors of a lone worker: the system log's connected socket, the user's terminal. */
static const struct sandbox_allow alone[] = {
	SANDBOX_ARG(sendto, 4, 0), /* no other address than the connected one */
	SANDBOX_IOCTL(TCGETS),
	SANDBOX_IOCTL(TCSETS),
	SANDBOX_END,
};

/* A board with a vdev that sets deadlines, from whatever thread. */
static const struct sandbox_allow alarms[] = {
	SANDBOX_CALL(timerfd_settime),
	SANDBOX_END,
};

/* A board with a vdev whose registers KVM watches, wherever the guest puts them. */
static const struct sandbox_allow doorbells[] = {
	SANDBOX_IOCTL(KVM_IOEVENTFD),
	SANDBOX_END,
};

/* Beyond all that: while the configuration is read and the machine is assembled. */
static const struct sandbox_allow assembling[] = {
	SANDBOX_CALL(clone),
	SANDBOX_CALL(clone3),
	SANDBOX_CALL(epoll_create1),
	SANDBOX_CALL(epoll_ctl),
	SANDBOX_CALL(epoll_wait),
	SANDBOX_CALL(accept4), /* here: for the vdevs that name it */
	SANDBOX_CALL(eventfd2),
	SANDBOX_CALL(fallocate), /* here and below: for the vdevs that name it */
	SANDBOX_ARG(fcntl, 1, F_GET_SEALS),
	SANDBOX_ARG(fcntl, 1, F_GETFL),
	SANDBOX_ARG(fcntl, 1, F_SETFL),
	SANDBOX_CALL(fdatasync),
	SANDBOX_CALL(futex_waitv),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL(getrandom),
	SANDBOX_CALL(lseek),
	SANDBOX_ARG(mmap, 2, PROT_READ), /* `pass loc ...,r` */
	SANDBOX_CALL(mremap),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(preadv),
	SANDBOX_CALL(recvmsg),
	SANDBOX_ARG(prctl, 0, PR_SET_NAME), /* of threads */
	SANDBOX_CALL(pwrite64),		    /* registers of a PCI function that is passed */
	SANDBOX_CALL(pwritev),
	SANDBOX_CALL(rseq),
	SANDBOX_CALL(sched_getaffinity), /* of vCPU threads; likewise below */
	SANDBOX_CALL(sched_getparam),
	SANDBOX_CALL(sched_getscheduler),
	SANDBOX_CALL(sched_setaffinity),
	SANDBOX_CALL(sched_setscheduler),
	SANDBOX_CALL(seccomp),
	SANDBOX_CALL(set_robust_list),
	SANDBOX_CALL(shutdown),
	SANDBOX_CALL(statx),
	SANDBOX_CALL(sysinfo), /* qsort() of more than a little asks how much memory there is */
	SANDBOX_CALL(timerfd_create),
	SANDBOX_CALL(timerfd_settime),
	SANDBOX_IOCTL(TCGETS),
	SANDBOX_IOCTL(TIOCGPTN),
	SANDBOX_IOCTL(TIOCGWINSZ),
	SANDBOX_IOCTL(KVM_CHECK_EXTENSION),
	SANDBOX_IOCTL(KVM_CREATE_IRQCHIP),
	SANDBOX_IOCTL(KVM_CREATE_PIT2),
	SANDBOX_IOCTL(KVM_CREATE_VCPU),
	SANDBOX_IOCTL(KVM_CREATE_VM),
	SANDBOX_IOCTL(KVM_ENABLE_CAP),
	SANDBOX_IOCTL(KVM_GET_API_VERSION),
	SANDBOX_IOCTL(KVM_GET_IRQCHIP),
	SANDBOX_IOCTL(KVM_GET_STATS_FD),
	SANDBOX_IOCTL(KVM_GET_SUPPORTED_CPUID),
	SANDBOX_IOCTL(KVM_GET_VCPU_MMAP_SIZE),
	SANDBOX_IOCTL(KVM_IOEVENTFD),
	SANDBOX_IOCTL(KVM_IRQFD), /* lines of devices of the host */
	SANDBOX_IOCTL(KVM_SET_CPUID2),
	SANDBOX_IOCTL(KVM_SET_IDENTITY_MAP_ADDR),
	SANDBOX_IOCTL(KVM_SET_IRQCHIP),
	SANDBOX_IOCTL(KVM_HAS_DEVICE_ATTR),
	SANDBOX_IOCTL(KVM_SET_DEVICE_ATTR),
	SANDBOX_IOCTL(KVM_SET_MP_STATE),
	SANDBOX_IOCTL(KVM_SET_MSRS),
	SANDBOX_IOCTL(KVM_SET_SREGS),
	SANDBOX_IOCTL(KVM_SET_TSS_ADDR),
	SANDBOX_IOCTL(KVM_SET_USER_MEMORY_REGION),
	SANDBOX_IOCTL(TUNSETOFFLOAD),
	SANDBOX_IOCTL(VFIO_DEVICE_GET_INFO),
	SANDBOX_IOCTL(VFIO_DEVICE_GET_REGION_INFO),
	SANDBOX_IOCTL(VFIO_DEVICE_RESET),
	SANDBOX_IOCTL(VFIO_DEVICE_SET_IRQS),
	SANDBOX_IOCTL(VFIO_IOMMU_MAP_DMA),
	SANDBOX_IOCTL(VFIO_IOMMU_UNMAP_DMA),
	SANDBOX_END,
};

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
/* The address sanitizer's runtime: its stacks, and its report when it finds something. */
static const struct sandbox_allow sanitizer[] = {
	SANDBOX_CALL(clock_nanosleep),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL(getrusage),
	SANDBOX_CALL(mmap),
	SANDBOX_CALL(mprotect),
	SANDBOX_CALL(mremap),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(open),
	SANDBOX_CALL(openat),
	SANDBOX_CALL(prctl),
	SANDBOX_CALL(prlimit64),
	SANDBOX_CALL(readlink),
	SANDBOX_CALL(sched_getaffinity),
	SANDBOX_CALL(sched_yield),
	SANDBOX_CALL(sigaltstack),
	SANDBOX_CALL(stat),
	SANDBOX_END,
};

#else
static const struct sandbox_allow sanitizer[] = {SANDBOX_END};
#endif

static const struct sandbox_allow *door(bool is_supervised)
{
	return is_supervised ? linked : alone;
}

/* Signals to its own threads: a lone worker has no PID namespace that hides the user's others. */
#define OWN_SIGNALS                                                                                \
	{                                                                                          \
		SANDBOX_ARG(tgkill, 0, (uint64_t)getpid()), SANDBOX_END                            \
	}

int filter_first(bool is_supervised, struct err *e)
{
	const struct sandbox_allow own[] = OWN_SIGNALS;
	const struct sandbox_allow *const lists[] = {running, own, assembling, door(is_supervised),
						     sanitizer};

	return sandbox_filter(lists, NELEMS(lists), e);
}

int filter_final(const struct board *b, bool is_supervised, struct err *e)
{
	AUTO_FREE const struct sandbox_allow **lists = calloc(b->n_vdevs + 7, sizeof *lists);
	const struct sandbox_allow own[] = OWN_SIGNALS;
	bool has_alarm = false, has_iothread = false, has_doorbells = false;
	unsigned n = 0;

	if (!lists)
		abort();
	lists[n++] = running;
	lists[n++] = own;
	lists[n++] = door(is_supervised);
	lists[n++] = sanitizer;
	for (unsigned i = 0; i < b->n_vdevs; i++) {
		const struct vdev_class *c = b->vdev[i]->class;

		has_alarm = has_alarm || c->alarm;
		has_iothread = has_iothread || c->has_iothread;
		has_doorbells = has_doorbells || c->has_doorbells;
		if (c->syscalls)
			lists[n++] = c->syscalls;
	}
	if (has_alarm)
		lists[n++] = alarms;
	if (has_iothread)
		lists[n++] = iothread_syscalls;
	if (has_doorbells)
		lists[n++] = doorbells;
	return sandbox_filter(lists, n, e);
}
