/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid.h - what the guest's CPUID says: what KVM supports, with the board's own topology. Worker;
 * assembly only.
 */
#pragma once

#include "base/err.h"

struct kvm_cpuid2;

/* The leaves that KVM supports (KVM_GET_SUPPORTED_CPUID, section 4.46), asked once for all vCPUs:
 * that alone is half a millisecond. n_vcpus is the number of cores of the one package. */
int cpuid_read(int kvm_fd, unsigned n_vcpus, struct kvm_cpuid2 **ret, struct err *e);
/* Give them to one vCPU, with its APIC id in place (KVM_SET_CPUID2, section 4.47). */
int cpuid_set(struct kvm_cpuid2 *c, int vcpu_fd, unsigned apic_id, struct err *e);
