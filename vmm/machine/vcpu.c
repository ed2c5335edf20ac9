/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/vcpu.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "vmm/machine/end.h"
#include "vmm/machine/exit.h"
#include "vmm/machine/gate.h"
#include "vmm/machine/halt.h"
#include "vmm/machine/hold.h"
#include "vmm/machine/kvm.h"
#include "vmm/x86/state.h"

enum { RESET_RIP = 0xfff0 };
enum { STACK_BYTES = 512 * 1024, KICK_AGAIN_MS = 100 };

/* Real-time signals queue, so a kick cannot be merged with somebody else's signal. */
static int kick_signal(void)
{
	return SIGRTMIN;
}

static void on_kick(int sig)
{
	(void)sig; /* its arrival alone ends KVM_RUN */
}

int vcpu_prepare(struct err *e)
{
	struct sigaction a = {.sa_handler = on_kick};

	if (sigaction(kick_signal(), &a, NULL) < 0)
		return err_sys(e, START, "set the signal that kicks vCPUs");
	return 0;
}

int vcpu_create(struct vcpu *v, const struct vcpu_ground *ground, unsigned index, int vm_fd,
		size_t run_bytes, struct err *e)
{
	void *p;

	*v = (struct vcpu){.ground = ground, .index = index, .is_off = index > 0};
	v->fd = kvm_call(vm_fd, KVM_CREATE_VCPU, (void *)(uintptr_t)index, "make a vCPU", e);
	if (v->fd < 0)
		return -1;
	p = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, KVM, "map the shared page of vCPU %u", index);
	v->run = p;
	v->run_bytes = run_bytes;
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS; /* rip at every exit, without an ioctl */
	return 0;
}

/* --- the thread --- */

static struct blackbox_vcpu *row(const struct vcpu *v)
{
	return &v->ground->box->vcpu[v->index];
}

static void mark(const struct vcpu *v, enum blackbox_vcpu_state state)
{
	struct blackbox_vcpu *b = row(v);

	atomic_store_explicit(&b->since_ns, clock_mono_ns(), memory_order_relaxed);
	atomic_store_explicit(&b->state, state, memory_order_release);
}

static void probe(struct vcpu *v)
{
	atomic_store(&v->is_probed, false);
	atomic_store(&v->is_dead_end, halt_is_for_good(v->fd));
}

/* Section 4.32; by its own thread, as the ioctl waits for the end of KVM_RUN. */
static void take_nmi(struct vcpu *v)
{
	struct machine_end how = {.cause = CAUSE_KVM_INTERNAL, .vcpu = v->index};

	atomic_store(&v->wants_nmi, false);
	if (kvm_call(v->fd, KVM_NMI, NULL, "send a vCPU an NMI", &how.err) < 0)
		end_now(v->ground->end, &how);
}

/* KVM_RUN refused: section 4.10. */
static void on_refusal(struct vcpu *v, int reason)
{
	struct machine_end how = {.cause = CAUSE_KVM_INTERNAL, .vcpu = v->index};

	if (reason == EINTR) /* kicked */
		return;
	if (reason == EAGAIN) { /* its SIPI has arrived */
		v->is_off = false;
		return;
	}
	errno = reason;
	snprintf(how.detail, sizeof how.detail, "KVM_RUN at rip 0x%llx: %m",
		 v->run->s.regs.regs.rip);
	err_sys(&how.err, KVM, "enter the guest on vCPU %u", v->index);
	end_now(v->ground->end, &how);
}

/* A triple fault on SVM comes with the registers of a reset: the exit before it tells more. */
static void note_rip(struct vcpu *v, int r)
{
	uint64_t rip = v->run->s.regs.regs.rip;

	if (r < 0 || v->run->exit_reason != KVM_EXIT_SHUTDOWN || rip != RESET_RIP)
		atomic_store_explicit(&row(v)->last_rip, rip, memory_order_relaxed);
}

static void step(struct vcpu *v)
{
	struct blackbox_vcpu *b = row(v);
	uint32_t reason;
	int r, why;

	mark(v, v->is_off ? BLACKBOX_VCPU_OFF : BLACKBOX_VCPU_GUEST);
	r = ioctl(v->fd, KVM_RUN, 0);
	why = errno;
	mark(v, BLACKBOX_VCPU_EXIT);
	/* Before the flags of the kicker are read: what it set later stays set. */
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	note_rip(v, r);
	v->is_settled = r < 0;
	if (r < 0) {
		on_refusal(v, why);
		return;
	}
	v->is_off = false;
	reason = v->run->exit_reason;
	atomic_fetch_add_explicit(&b->exits[reason < BLACKBOX_REASONS ? reason : 0], 1,
				  memory_order_relaxed);
	exit_handle(v);
}

static void keep_registers(const struct vcpu *v)
{
	struct blackbox_vcpu *b = row(v);
	struct blackbox_regs r;

	if (state_read(v->fd, &r) < 0)
		return; /* regs_valid says so */
	b->regs = r;
	if (r.rip != RESET_RIP)
		atomic_store_explicit(&b->last_rip, r.rip, memory_order_relaxed);
	atomic_store_explicit(&b->regs_valid, 1, memory_order_release);
}

/* An instruction that left the guest in the middle is finished first, its further exits too. */
static void stand(struct vcpu *v)
{
	struct hold *h = v->ground->hold;

	if (!v->is_settled) {
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		return;
	}
	keep_registers(v);
	mark(v, BLACKBOX_VCPU_HELD);
	hold_pass(h);
	/* Section 4.70: a guest with kvmclock shall not take the pause for its own fault. Others have
	 * no clock to be told by, which is what a refusal means. */
	(void)ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
	atomic_store_explicit(&row(v)->regs_valid, 0, memory_order_release);
}

static void *body(void *arg)
{
	struct vcpu *v = arg;
	const struct vcpu_ground *g = v->ground;
	char name[16];

	snprintf(name, sizeof name, "vcpu%u", v->index);
	pthread_setname_np(pthread_self(), name);
	mark(v, BLACKBOX_VCPU_OFF);
	gate_pass(g->gate);
	if (v->index == 0 && !end_is_near(g->end) && g->started)
		g->started(g->started_arg);
	while (!end_is_near(g->end)) {
		if (atomic_load(&v->is_probed))
			probe(v);
		if (atomic_load(&v->wants_nmi))
			take_nmi(v);
		if (hold_is_wanted(g->hold))
			stand(v);
		step(v);
	}
	exit_complete(v);
	keep_registers(v);
	mark(v, BLACKBOX_VCPU_OFF);
	return NULL;
}

/* --- the outside --- */

int vcpu_spawn(struct vcpu *v, struct err *e)
{
	static const int open[] = {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	pthread_attr_t attr;
	sigset_t block, old;
	int r;

	/* Signals for people go to the main thread; those of a fault stay with the thread. */
	sigfillset(&block);
	sigdelset(&block, kick_signal());
	for (size_t i = 0; i < NELEMS(open); i++)
		sigdelset(&block, open[i]);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	r = pthread_create(&v->thread, &attr, body, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	errno = r;
	if (r)
		return err_sys(e, START, "make the thread of vCPU %u", v->index);
	v->has_thread = true;
	return 0;
}

void vcpu_kick(struct vcpu *v)
{
	if (!v->run)
		return; /* half-made */
	/* The flag catches a thread on its way into the guest, the signal one that is inside. */
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (v->has_thread)
		pthread_kill(v->thread, kick_signal());
}

void vcpu_probe(struct vcpu *v)
{
	atomic_store(&v->is_dead_end, false);
	atomic_store(&v->is_probed, true);
	vcpu_kick(v);
}

void vcpu_nmi(struct vcpu *v)
{
	atomic_store(&v->wants_nmi, true);
	vcpu_kick(v);
}

void vcpu_join(struct vcpu *v)
{
	struct timespec until;

	/* A kick is lost on a handler that is about to wait in a system call: so there is another. */
	while (v->has_thread) {
		until = clock_mono_in(KICK_AGAIN_MS);
		if (pthread_clockjoin_np(v->thread, NULL, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
			vcpu_kick(v);
		else
			v->has_thread = false;
	}
}

void vcpu_destroy(struct vcpu *v)
{
	if (v->run)
		munmap(v->run, v->run_bytes);
	if (v->fd >= 0)
		close(v->fd);
	v->run = NULL;
	v->fd = -1;
}
