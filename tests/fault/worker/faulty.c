/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qvm that meets a fault which cannot be provoked from outside: linked over the real one, in place
 * of the calls by which it speaks to KVM and to its supervisor (-Wl,--wrap). The name of its VM, which
 * is the id of a row of schemas/faults.def, says which fault; with any other name it is the real qvm.
 * Starts and checks look the same to a worker: its faults are armed by a heartbeat of 123 ms.
 */
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/wire.h"
#include "schemas/message.h"

enum { ARMED_MS = 123, EXITS_BEFORE = 100, VCPUS = 8 };

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t at);
void *__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t at);
int __real_wire_recv(int link, const struct wire_table *t, enum wire_dir from, struct wire_msg *ret,
		     struct err *e);
int __wrap_wire_recv(int link, const struct wire_table *t, enum wire_dir from, struct wire_msg *ret,
		     struct err *e);
int __real_wire_send(int link, const struct wire_table *t, unsigned type, uint64_t request,
		     const void *body, const int *fd, unsigned n_fds, struct err *e);
int __wrap_wire_send(int link, const struct wire_table *t, unsigned type, uint64_t request,
		     const void *body, const int *fd, unsigned n_fds, struct err *e);

static struct {
	char vm[NAME_CAP];
	atomic_uint n_exits;
	struct {
		int fd;
		struct kvm_run *run;
	} vcpu[VCPUS]; /* every mapping of a descriptor; the vCPUs are among them */
	unsigned n_vcpus;
} f;

static bool is(const char *fault)
{
	return !strcmp(f.vm, fault);
}

/* --- KVM --- */

void *__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t at)
{
	void *p = __real_mmap(addr, bytes, prot, flags, fd, at);

	if (p != MAP_FAILED && fd >= 0 && (flags & MAP_SHARED)) {
		unsigned i = f.n_vcpus++ % VCPUS;

		f.vcpu[i].fd = fd;
		f.vcpu[i].run = p;
	}
	return p;
}

static struct kvm_run *run_of(int fd)
{
	for (unsigned i = f.n_vcpus; i-- > 0;)
		if (f.vcpu[i % VCPUS].fd == fd)
			return f.vcpu[i % VCPUS].run;
	return NULL;
}

/* What KVM_RUN gives from the hundredth exit on. */
static int spoil(struct kvm_run *run)
{
	if (is("unknown-exit")) {
		run->exit_reason = 12345;
	} else if (is("kvm-internal")) {
		run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
		run->internal.ndata = 0;
	} else if (is("kvm-entry")) {
		run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	} else if (is("kvm-lost")) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_run *run;
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	r = __real_ioctl(fd, request, arg);
	if (request != KVM_RUN || r < 0 || !(run = run_of(fd)))
		return r;
	return atomic_fetch_add(&f.n_exits, 1) < EXITS_BEFORE ? r : spoil(run);
}

/* --- the supervisor --- */

int __wrap_wire_recv(int link, const struct wire_table *t, enum wire_dir from, struct wire_msg *ret,
		     struct err *e)
{
	int r = __real_wire_recv(link, t, from, ret, e);

	if (r == 1 && ret->hdr.type == MESSAGE_CONFIG) {
		const struct msg_config *c = (const struct msg_config *)ret->body;

		if (c->heartbeat_ms == ARMED_MS)
			str_copy(f.vm, sizeof f.vm, c->vm);
	}
	return r;
}

static void hang(void)
{
	for (;;)
		atomic_signal_fence(memory_order_seq_cst);
}

int __wrap_wire_send(int link, const struct wire_table *t, unsigned type, uint64_t request,
		     const void *body, const int *fd, unsigned n_fds, struct err *e)
{
	if ((is("start-hangs-reading") && type == MESSAGE_PLAN) ||
	    (is("start-hangs-assembling") && type == MESSAGE_READY) ||
	    (is("start-hangs-entering") && type == MESSAGE_STARTED))
		hang();
	if (is("protocol") && type == MESSAGE_STARTED)
		__real_wire_send(link, t, MESSAGE_READY, request, &(struct msg_ready){0}, NULL, 0,
				 e);
	return __real_wire_send(link, t, type, request, body, fd, n_fds, e);
}
