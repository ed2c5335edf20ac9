/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt: what a completion costs that a device's thread tells the guest of, by KVM_SIGNAL_MSI or by an
 * irqfd. The decision of ARCHITECTURE.md rests on it. Prints; asserts nothing.
 *
 * A request is what a virtio device with a doorbell sees: the guest rings an ioeventfd, the thread wakes,
 * sends the message, the guest takes the interrupt and rings again. Both ways take turns in one run; "cpu" is
 * the thread's own time, "call" that of the system call alone.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

enum { REQUESTS = 2000, ROUNDS = 15, CODE = 0x1000, VECTOR = 0x40, DOORBELL = 0x80 };
enum { RAM = 0x10000, GSI = 24, MSI = 0xfee00000, CPUID_MOST = 256 };
enum way { BY_IOCTL, BY_IRQFD, WAYS };

static const char *const names[WAYS] = {[BY_IOCTL] = "KVM_SIGNAL_MSI", [BY_IRQFD] = "irqfd"};

/* Real mode: x2APIC on, vector 0x40 to the handler, then ring and sleep; the handler rings. */
static const unsigned char code[] = {
	0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x10, /* cli; ds = ss = 0; sp */
	0xc7, 0x06, 0x00, 0x01, 0x3a, 0x10,			    /* [0x100] = handler */
	0xc7, 0x06, 0x02, 0x01, 0x00, 0x00,			    /* [0x102] = segment 0 */
	0x66, 0xb9, 0x1b, 0x00, 0x00, 0x00, 0x0f, 0x32,		    /* rdmsr APIC_BASE */
	0x0d, 0x00, 0x0c, 0x0f, 0x30,				    /* |= x2APIC, enable */
	0x66, 0xb9, 0x0f, 0x08, 0x00, 0x00, 0x66, 0xb8, 0xff, 0x01, 0x00, 0x00, 0x66, 0x31, 0xd2,
	0x0f, 0x30,	      /* wrmsr SVR = 0x1ff */
	0xfb, 0xe6, DOORBELL, /* sti; ring */
	0xf4, 0xeb, 0xfd,     /* 1: hlt; jmp 1b */
	/* at 0x103a */
	0x66, 0xb9, 0x0b, 0x08, 0x00, 0x00, 0x66, 0x31, 0xc0, 0x66, 0x31, 0xd2, 0x0f,
	0x30,		      /* wrmsr EOI = 0 */
	0xe6, DOORBELL, 0xcf, /* ring; iret */
};

struct vm {
	int kvm, vm, vcpu, bell, irqfd;
	struct kvm_run *run;
	_Atomic bool is_over;
};

struct cost {
	double wall_us, cpu_us, call_us;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_kick(int signal)
{
	(void)signal;
}

static void *run_vcpu(void *arg)
{
	struct vm *v = arg;

	while (!atomic_load(&v->is_over))
		if (ioctl(v->vcpu, KVM_RUN, 0) == 0)
			die("the guest left for another reason than its doorbell");
	return NULL;
}

static void set_cpu(struct vm *v)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof *c + CPUID_MOST * sizeof c->entries[0]);
	struct kvm_regs r = {.rflags = 2, .rip = CODE};
	struct kvm_sregs s;

	if (!c)
		abort();
	c->nent = CPUID_MOST;
	if (ioctl(v->kvm, KVM_GET_SUPPORTED_CPUID, c) < 0 || ioctl(v->vcpu, KVM_SET_CPUID2, c) < 0)
		die("set the CPUID");
	free(c);
	if (ioctl(v->vcpu, KVM_GET_SREGS, &s) < 0)
		die("get registers");
	s.cs.base = 0;
	s.cs.selector = 0;
	if (ioctl(v->vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(v->vcpu, KVM_SET_REGS, &r) < 0)
		die("set registers");
}

/* The doorbell, and the message both ways: the same address and vector. */
static void wire_up(struct vm *v)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} routing = {.head.nr = 1,
		     .entry = {.gsi = GSI,
			       .type = KVM_IRQ_ROUTING_MSI,
			       .u.msi = {.address_lo = MSI, .data = VECTOR}}};
	struct kvm_ioeventfd bell = {
		.addr = DOORBELL, .len = 1, .fd = v->bell, .flags = KVM_IOEVENTFD_FLAG_PIO};
	struct kvm_irqfd irqfd = {.fd = (uint32_t)v->irqfd, .gsi = GSI};

	if (ioctl(v->vm, KVM_IOEVENTFD, &bell) < 0 ||
	    ioctl(v->vm, KVM_SET_GSI_ROUTING, &routing) < 0 || ioctl(v->vm, KVM_IRQFD, &irqfd) < 0)
		die("wire up the device");
}

static void make(struct vm *v)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
	void *ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {.memory_size = RAM,
						   .userspace_addr = (uintptr_t)ram};

	*v = (struct vm){.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC),
			 .bell = eventfd(0, EFD_CLOEXEC),
			 .irqfd = eventfd(0, EFD_CLOEXEC)};
	if (ram == MAP_FAILED || v->kvm < 0 || v->bell < 0 || v->irqfd < 0)
		die("open /dev/kvm");
	memcpy((char *)ram + CODE, code, sizeof code);
	v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0);
	if (v->vm < 0 || ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0 ||
	    ioctl(v->vm, KVM_ENABLE_CAP, &split) < 0)
		die("make a VM");
	v->vcpu = ioctl(v->vm, KVM_CREATE_VCPU, 0);
	if (v->vcpu < 0)
		die("make a vCPU");
	set_cpu(v);
	wire_up(v);
	v->run = mmap(NULL, (size_t)ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		      PROT_READ | PROT_WRITE, MAP_SHARED, v->vcpu, 0);
	if (v->run == MAP_FAILED)
		die("map the vCPU");
}

static void send_message(const struct vm *v, enum way way)
{
	static const uint64_t one = 1;
	struct kvm_msi msi = {.address_lo = MSI, .data = VECTOR};

	if (way == BY_IOCTL ? ioctl(v->vm, KVM_SIGNAL_MSI, &msi) < 1
			    : write(v->irqfd, &one, sizeof one) != sizeof one)
		die("interrupt the guest");
}

/* One block of requests; the bell has rung, or is about to. */
static struct cost measure(const struct vm *v, enum way way)
{
	uint64_t began_ns = clock_mono_ns(), cpu_ns = thread_ns(), call_ns = 0, n;

	for (unsigned i = 0; i < REQUESTS; i++) {
		uint64_t at_ns;

		if (read(v->bell, &n, sizeof n) != sizeof n)
			die("hear the doorbell");
		at_ns = clock_mono_ns();
		send_message(v, way);
		call_ns += clock_mono_ns() - at_ns;
	}
	return (struct cost){(double)(clock_mono_ns() - began_ns) / 1000 / REQUESTS,
			     (double)(thread_ns() - cpu_ns) / 1000 / REQUESTS,
			     (double)call_ns / 1000 / REQUESTS};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of one figure over the rounds. */
static double median(const struct cost *c, size_t at)
{
	double sorted[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++)
		memcpy(&sorted[i], (const char *)&c[i] + at, sizeof sorted[i]);
	qsort(sorted, ROUNDS, sizeof sorted[0], compare);
	return sorted[ROUNDS / 2];
}

static void print_row(const char *name, const struct cost *c)
{
	printf("%-16s %9.1f %9.2f %9.2f\n", name, median(c, offsetof(struct cost, wall_us)),
	       median(c, offsetof(struct cost, cpu_us)), median(c, offsetof(struct cost, call_us)));
}

int main(void)
{
	static struct cost cost[WAYS][ROUNDS], ratio[ROUNDS];
	struct vm v;
	pthread_t vcpu;

	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_kick}, NULL);
	make(&v);
	if (pthread_create(&vcpu, NULL, run_vcpu, &v) != 0)
		die("start the vCPU");
	measure(&v, BY_IOCTL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const struct cost *a = &cost[BY_IOCTL][i], *b = &cost[BY_IRQFD][i];

		for (unsigned n = 0; n < WAYS; n++) {
			enum way way = (n + i) % WAYS; /* each goes first as often */

			cost[way][i] = measure(&v, way);
		}
		ratio[i] = (struct cost){b->wall_us / a->wall_us, b->cpu_us / a->cpu_us,
					 b->call_us / a->call_us};
	}
	atomic_store(&v.is_over, true);
	v.run->immediate_exit = 1;
	pthread_kill(vcpu, SIGUSR1);
	pthread_join(vcpu, NULL);
	printf("%-16s %9s %9s %9s   (us per request, medians of %d rounds of %d)\n",
	       "completion by", "request", "cpu", "call", ROUNDS, REQUESTS);
	for (unsigned way = 0; way < WAYS; way++)
		print_row(names[way], cost[way]);
	print_row("irqfd / ioctl", ratio);
	return 0;
}
