/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/counter.h"

#include "vmm/machine/kvm.h"
#include "vmm/x86/cpuid.h"

/* KVM's Documentation/virt/kvm/devices/vcpu.rst, 4.1 ATTRIBUTE: KVM_VCPU_TSC_OFFSET (Linux 5.16). */
int counter_set(int vcpu_fd, uint64_t offset, struct err *e)
{
	struct kvm_device_attr attr = {.group = KVM_VCPU_TSC_CTRL,
				       .attr = KVM_VCPU_TSC_OFFSET,
				       .addr = (uintptr_t)&offset};

	/* pvm takes the attribute, but its guests read the host's counter all the same. */
	if (cpuid_host_is_pvm() || ioctl(vcpu_fd, KVM_HAS_DEVICE_ATTR, &attr) < 0)
		return err_set(e, START,
			       "this host's KVM gives a guest's counter no offset: remove `set "
			       "counter-offset`");
	return kvm_call(vcpu_fd, KVM_SET_DEVICE_ATTR, &attr, "take `set counter-offset`", e) < 0
		       ? -1
		       : 0;
}
