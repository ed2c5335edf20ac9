/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the least a VMM can do: one 64 KiB memslot, split irqchip, one vCPU in real mode, one PIO
 * exit; prints microseconds from main() to that exit. The ruler that starts are measured with.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/clock.h"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(void)
{
	static const unsigned char code[] = {0xb0, 0x41, 0xe6, 0x80,
					     0xf4}; /* mov al,'A'; out 0x80,al; hlt */
	uint64_t began_ns = clock_mono_ns();
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
	struct kvm_userspace_memory_region slot = {.memory_size = 65536};
	struct kvm_sregs s;
	struct kvm_regs r = {.rflags = 2};
	struct kvm_run *run;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu;
	void *ram = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (kvm < 0 || ram == MAP_FAILED)
		return fail("/dev/kvm");
	memcpy(ram, code, sizeof code);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	slot.userspace_addr = (uint64_t)(uintptr_t)ram;
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0 ||
	    ioctl(vm, KVM_ENABLE_CAP, &split) < 0)
		return fail("make a VM");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
		return fail("make a vCPU");
	s.cs.base = 0;
	s.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu, KVM_SET_REGS, &r) < 0)
		return fail("set registers");
	run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED || ioctl(vcpu, KVM_RUN, 0) < 0 || run->exit_reason != KVM_EXIT_IO)
		return fail("run to the first exit");
	printf("%llu\n", (unsigned long long)(clock_mono_ns() - began_ns) / 1000);
	return 0;
}
