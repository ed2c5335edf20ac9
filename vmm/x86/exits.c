/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/exits.h"

#include "vmm/conf/board.h"
#include "vmm/machine/kvm.h"

int exits_choose(const struct board *b, int vm_fd, struct err *e)
{
	if (kvm_enable(vm_fd, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_UNKNOWN,
		       "leave the guest for unknown MSRs", e) < 0)
		return -1;
	/* By itself KVM has ring 3 meet #UD, which is what `fail` wants (section 7.27). */
	if (b->unsupported.instruction != BOARD_FAIL &&
	    kvm_enable(vm_fd, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1,
		       "leave the guest for every instruction that it cannot emulate", e) < 0)
		return err_wrap(e, "`unsupported instruction abort|ignore` needs Linux 5.14");
	if (b->exit_on_halt)
		return 0;
	if (!(kvm_extension(vm_fd, KVM_CAP_X86_DISABLE_EXITS) & KVM_X86_DISABLE_EXITS_HLT))
		return err_set(e, KVM,
			       "this host's KVM cannot let a guest halt without an exit: "
			       "remove `set exit-on-halt off`");
	return kvm_enable(vm_fd, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT,
			  "let the guest halt without an exit", e) < 0
		       ? -1
		       : 0;
}
