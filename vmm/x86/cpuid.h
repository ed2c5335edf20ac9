/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid.h - what the guest's CPUID says: what KVM supports, with the board's own topology. Worker;
 * assembly only.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct kvm_cpuid2;

/* Our own hypervisor leaf: EAX the last of ours, then "qvm on Linux" in EBX, ECX, EDX. KVM's leaves, with
 * the features that Linux uses (kvmclock), stay at 0x40000000. */
enum {
	CPUID_OWN = 0x40000100,
	CPUID_OWN_EBX = 0x206d7671, /* "qvm " */
	CPUID_OWN_ECX = 0x4c206e6f, /* "on L" */
	CPUID_OWN_EDX = 0x78756e69, /* "inux" */
};

/* The host's CPU has neither VMX nor SVM: its KVM runs guests by other means (pvm). */
bool cpuid_host_is_pvm(void);
/* The leaves that KVM supports (KVM_GET_SUPPORTED_CPUID, section 4.46), asked once for all vCPUs:
 * that alone is half a millisecond. n_vcpus is the number of cores of the one package. */
int cpuid_read(int kvm_fd, unsigned n_vcpus, struct kvm_cpuid2 **ret, struct err *e);
/* Give them to one vCPU, with its APIC id in place (KVM_SET_CPUID2, section 4.47). */
int cpuid_set(struct kvm_cpuid2 *c, int vcpu_fd, unsigned apic_id, struct err *e);
