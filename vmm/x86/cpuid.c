/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/cpuid.h"

#include <asm/kvm_para.h>
#include <cpuid.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/auto.h"
#include "vmm/machine/kvm.h"

enum { MOST = 256, TOPOLOGY_LEVELS = 3 }; /* entries: KVM_MAX_CPUID_ENTRIES */

/* Leaf 1 */
#define ECX_VMX		 (1u << 5)
#define ECX_TSC_DEADLINE (1u << 24)
#define ECX_HYPERVISOR	 (1u << 31)
#define EDX_HTT		 (1u << 28)

/* Leaf 0x80000001 */
#define ECX_SVM (1u << 2)

/* Bits of an APIC id that number the cores. */
static unsigned core_bits(unsigned n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* --- what all vCPUs share --- */

static void share_1(struct kvm_cpuid_entry2 *e, unsigned n, int kvm_fd)
{
	e->ecx |= ECX_HYPERVISOR;
	/* Never reported, but there with the in-kernel local APIC (section 4.46). */
	if (kvm_extension(kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER))
		e->ecx |= ECX_TSC_DEADLINE;
	e->ebx = (e->ebx & 0x0000ffff) | (n > 255 ? 255 : n) << 16;
	e->edx = n > 1 ? e->edx | EDX_HTT : e->edx & ~EDX_HTT;
}

/* Caches (Intel 4, AMD 0x8000001d): levels 1 and 2 belong to a core, level 3 to the package. */
static void share_cache(struct kvm_cpuid_entry2 *e, unsigned n, int kvm_fd)
{
	unsigned level = e->eax >> 5 & 7, ids = (1u << core_bits(n)) - 1;
	unsigned sharing = level >= 3 ? ids : 0;

	(void)kvm_fd;
	if ((e->eax & 31) == 0)
		return;
	e->eax = (e->eax & 0x00003fff) | (sharing > 0xfff ? 0xfff : sharing) << 14;
	if (e->function == 4)
		e->eax |= (ids > 63 ? 63 : ids) << 26;
}

bool cpuid_host_is_pvm(void)
{
	unsigned a, b, c, d;
	bool has_vmx = __get_cpuid(1, &a, &b, &c, &d) && (c & ECX_VMX);
	bool has_svm = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & ECX_SVM);

	return !has_vmx && !has_svm;
}

/* KVM's paravirtual features. The hypercall instruction in ring 0 never returns under pvm: hide what
 * needs it. */
static void share_kvm(struct kvm_cpuid_entry2 *e, unsigned n, int kvm_fd)
{
	(void)n;
	(void)kvm_fd;
	if (cpuid_host_is_pvm())
		e->eax &= ~(1u << KVM_FEATURE_PV_UNHALT | 1u << KVM_FEATURE_PV_SEND_IPI |
			    1u << KVM_FEATURE_PV_SCHED_YIELD | 1u << KVM_FEATURE_PV_TLB_FLUSH |
			    1u << KVM_FEATURE_HC_MAP_GPA_RANGE);
}

/* AMD: number of cores and the width of their numbers. */
static void share_80000008(struct kvm_cpuid_entry2 *e, unsigned n, int kvm_fd)
{
	(void)kvm_fd;
	e->ecx = (e->ecx & ~0xf0ffu) | core_bits(n) << 12 | ((n > 256 ? 256 : n) - 1);
}

static const struct {
	uint32_t function;
	void (*fix)(struct kvm_cpuid_entry2 *e, unsigned n, int kvm_fd);
} shared[] = {
	{1, share_1},
	{4, share_cache},
	{0x8000001d, share_cache},
	{0x80000008, share_80000008},
	{KVM_CPUID_FEATURES, share_kvm},
};

/* Extended topology, leaves 0xb and 0x1f (Intel SDM, CPUID): one thread a core, n cores. */
static void write_topology(struct kvm_cpuid2 *c, uint32_t function, unsigned n)
{
	static const uint32_t type[TOPOLOGY_LEVELS] = {1, 2, 0}; /* SMT, core, none */

	for (uint32_t i = 0; i < TOPOLOGY_LEVELS && c->nent < MOST; i++)
		c->entries[c->nent++] = (struct kvm_cpuid_entry2){
			.function = function,
			.index = i,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = type[i] == 2 ? core_bits(n) : 0,
			.ebx = type[i] == 2 ? n : type[i],
			.ecx = type[i] << 8 | i,
		};
}

static void replace_topology(struct kvm_cpuid2 *c, uint32_t function, unsigned n)
{
	uint32_t kept = 0;
	bool was_there = false;

	for (uint32_t i = 0; i < c->nent; i++) {
		if (c->entries[i].function == function)
			was_there = true;
		else
			c->entries[kept++] = c->entries[i];
	}
	c->nent = kept;
	if (was_there)
		write_topology(c, function, n);
}

/*
 * Who we are, for guests that ask: a leaf of our own behind KVM's, which stay at 0x40000000 where
 * guests look first. Linux and others search in steps of 0x100 (hypervisor_cpuid_base()).
 */
static void write_own(struct kvm_cpuid2 *c)
{
	if (c->nent + 2 > MOST)
		return;
	c->entries[c->nent++] = (struct kvm_cpuid_entry2){.function = CPUID_OWN,
							  .eax = CPUID_OWN + 1,
							  .ebx = CPUID_OWN_EBX,
							  .ecx = CPUID_OWN_ECX,
							  .edx = CPUID_OWN_EDX};
	/* EAX bit 0: the safety variant of the original; the rest is reserved and 0. */
	c->entries[c->nent++] = (struct kvm_cpuid_entry2){.function = CPUID_OWN + 1};
}

int cpuid_read(int kvm_fd, unsigned n_vcpus, struct kvm_cpuid2 **ret, struct err *e)
{
	AUTO_FREE struct kvm_cpuid2 *c = calloc(1, sizeof *c + MOST * sizeof c->entries[0]);

	if (!c)
		abort();
	c->nent = MOST;
	if (kvm_call(kvm_fd, KVM_GET_SUPPORTED_CPUID, c, "tell the CPUID it supports", e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->nent; i++)
		for (size_t k = 0; k < NELEMS(shared); k++)
			if (shared[k].function == c->entries[i].function)
				shared[k].fix(&c->entries[i], n_vcpus, kvm_fd);
	replace_topology(c, 0xb, n_vcpus);
	replace_topology(c, 0x1f, n_vcpus);
	write_own(c);
	*ret = TAKE(c);
	return 0;
}

int cpuid_set(struct kvm_cpuid2 *c, int vcpu_fd, unsigned apic_id, struct err *e)
{
	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *x = &c->entries[i];

		if (x->function == 1)
			x->ebx = (x->ebx & 0x00ffffff) | apic_id << 24;
		else if (x->function == 0xb || x->function == 0x1f)
			x->edx = apic_id;
		else if (x->function == 0x8000001e) {
			x->eax = apic_id;
			x->ebx = apic_id & 0xff; /* one thread a core */
			x->ecx = 0;		 /* one node */
		}
	}
	return kvm_call(vcpu_fd, KVM_SET_CPUID2, c, "take the CPUID of a vCPU", e) < 0 ? -1 : 0;
}
