/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/kvm.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/str.h"

/* What the machine stands on. Linux 5.10 has all of it. */
static const struct {
	long cap;
	const char *name;
} needed[] = {
	{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
	{KVM_CAP_READONLY_MEM, "READONLY_MEM"},
	{KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR"},
	{KVM_CAP_SET_IDENTITY_MAP_ADDR, "SET_IDENTITY_MAP_ADDR"},
	{KVM_CAP_IRQCHIP, "IRQCHIP"},
	{KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP"},
	{KVM_CAP_PIT2, "PIT2"},
	{KVM_CAP_MP_STATE, "MP_STATE"},
	{KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS"},
	{KVM_CAP_EXT_CPUID, "EXT_CPUID"},
	{KVM_CAP_SYNC_REGS, "SYNC_REGS"},
	{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
	{KVM_CAP_X86_USER_SPACE_MSR, "X86_USER_SPACE_MSR"},
};

int kvm_extension(int fd, long cap)
{
	int n = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return n > 0 ? n : 0;
}

int kvm_call(int fd, unsigned long request, void *arg, const char *what, struct err *e)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, KVM, "KVM refused to %s", what);
	return r;
}

int kvm_enable(int fd, unsigned cap, unsigned long arg, const char *what, struct err *e)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {arg}};

	return kvm_call(fd, KVM_ENABLE_CAP, &c, what, e);
}

int kvm_create(int kvm_fd, int *ret_fd, struct err *e)
{
	char missing[ERR_MSG / 2] = "";
	size_t n = 0;
	int version, fd;

	version = kvm_call(kvm_fd, KVM_GET_API_VERSION, NULL, "tell its API version", e);
	if (version < 0)
		return -1;
	if (version != KVM_API_VERSION)
		return err_set(e, KVM,
			       "'/dev/kvm' speaks API version %d, not %d: use a kernel of "
			       "Linux 5.10 or later",
			       version, KVM_API_VERSION);
	for (size_t i = 0; i < NELEMS(needed); i++)
		if (!kvm_extension(kvm_fd, needed[i].cap))
			str_add(missing, sizeof missing, &n, "%s%s", n ? ", " : "", needed[i].name);
	if (n)
		return err_set(e, KVM, "this host's KVM lacks %s: use Linux 5.10 or later",
			       missing);
	fd = kvm_call(kvm_fd, KVM_CREATE_VM, NULL, "make a VM", e);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

int kvm_check_vcpus(uint64_t n, int most, struct err *e)
{
	if (n == 0 || (most > 0 && n > (uint64_t)most))
		return err_set(e, START,
			       "the board has %" PRIu64 " vCPUs, this host's KVM takes 1 to %d", n,
			       most);
	return 0;
}
