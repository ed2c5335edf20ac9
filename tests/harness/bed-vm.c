/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed-vm - one VM with a vCPU that never runs, for as long as the bed lives. With the first VM the kernel
 * writes a jump into its scheduler, with the last one it takes it out; and the emulator can go on
 * executing the breakpoint that stands there meanwhile on a processor for ever. With this one nobody's
 * VM is the first or the last. Prints a line when it is there, then stays.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);

	/* Its local APIC is off, and keeps the kernel from rewriting its checks of that. */
	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP) < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
		perror("bed-vm");
		return 1;
	}
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
