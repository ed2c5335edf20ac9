/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/exception.h"

#include <stdbool.h>

#include "vmm/machine/kvm.h"

enum { CR0_PE = 1 };

int exception_raise(int vcpu_fd, enum exception x, struct err *e)
{
	struct kvm_vcpu_events ev;
	struct kvm_sregs s;

	if (kvm_call(vcpu_fd, KVM_GET_VCPU_EVENTS, &ev, "tell the events of a vCPU", e) < 0 ||
	    kvm_call(vcpu_fd, KVM_GET_SREGS, &s, "tell the registers of a vCPU", e) < 0)
		return -1;
	ev.exception.injected = 1;
	ev.exception.nr = x;
	/* Real mode pushes no error codes. */
	ev.exception.has_error_code = x == EXCEPTION_GP && (s.cr0 & CR0_PE);
	ev.exception.error_code = 0;
	ev.flags = 0;
	return kvm_call(vcpu_fd, KVM_SET_VCPU_EVENTS, &ev, "raise an exception", e) < 0 ? -1 : 0;
}

int exception_skip(int vcpu_fd, size_t bytes, struct err *e)
{
	struct kvm_vcpu_events ev;
	struct kvm_regs g;

	if (kvm_call(vcpu_fd, KVM_GET_VCPU_EVENTS, &ev, "tell the events of a vCPU", e) < 0 ||
	    kvm_call(vcpu_fd, KVM_GET_REGS, &g, "tell the registers of a vCPU", e) < 0)
		return -1;
	ev.exception = (__typeof__(ev.exception)){0};
	ev.flags = 0;
	g.rip += bytes;
	if (exception_code_bits(vcpu_fd) != 64)
		g.rip &= UINT32_MAX;
	/* The order matters: KVM_SET_REGS forgets an exception that is still pending. */
	if (kvm_call(vcpu_fd, KVM_SET_REGS, &g, "step over an instruction", e) < 0)
		return -1;
	return kvm_call(vcpu_fd, KVM_SET_VCPU_EVENTS, &ev, "drop an exception", e) < 0 ? -1 : 0;
}

unsigned exception_code_bits(int vcpu_fd)
{
	struct kvm_sregs s;
	struct err e;

	if (kvm_call(vcpu_fd, KVM_GET_SREGS, &s, "tell the registers of a vCPU", &e) < 0)
		return 64;
	return s.cs.l ? 64 : s.cs.db ? 32 : 16;
}
