/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/state.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/blackbox.h"

enum { MSR_KERNEL_GS_BASE = 0xc0000102u }; /* Intel SDM volume 4, table 2-2 */

static struct blackbox_segment segment(const struct kvm_segment *s)
{
	return (struct blackbox_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		/* Intel SDM volume 3, figure 3-8: type, S, DPL, P; AVL, L, D/B, G. */
		.flags = (uint16_t)(s->type | s->s << 4 | s->dpl << 5 | s->present << 7 |
				    s->avl << 12 | s->l << 13 | s->db << 14 | s->g << 15),
	};
}

static struct blackbox_segment table(const struct kvm_dtable *t)
{
	return (struct blackbox_segment){.base = t->base, .limit = t->limit};
}

/* Intel SDM volume 1, table 10-2. */
static void read_fpu(const struct kvm_fpu *f, uint8_t ret[static 512])
{
	memset(ret, 0, 512);
	memcpy(ret, &f->fcw, 2);
	memcpy(ret + 2, &f->fsw, 2);
	ret[4] = f->ftwx;
	memcpy(ret + 6, &f->last_opcode, 2);
	memcpy(ret + 8, &f->last_ip, 8);
	memcpy(ret + 16, &f->last_dp, 8);
	memcpy(ret + 24, &f->mxcsr, 4);
	memcpy(ret + 32, f->fpr, sizeof f->fpr);
	memcpy(ret + 160, f->xmm, sizeof f->xmm);
}

static uint64_t read_msr(int vcpu_fd, uint32_t index)
{
	_Alignas(struct kvm_msrs) char
		bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)] = "";
	struct kvm_msrs *m = (struct kvm_msrs *)(void *)bytes;

	m->nmsrs = 1;
	m->entries[0].index = index;
	return ioctl(vcpu_fd, KVM_GET_MSRS, m) == 1 ? m->entries[0].data : 0;
}

int state_read(int vcpu_fd, struct blackbox_regs *ret)
{
	struct kvm_sregs s;
	struct kvm_regs g;
	struct kvm_fpu f;

	if (ioctl(vcpu_fd, KVM_GET_REGS, &g) < 0 || ioctl(vcpu_fd, KVM_GET_SREGS, &s) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_FPU, &f) < 0)
		return -1;
	*ret = (struct blackbox_regs){
		.cr0 = s.cr0,
		.cr2 = s.cr2,
		.cr3 = s.cr3,
		.cr4 = s.cr4,
		.efer = s.efer,
		.kernel_gs_base = read_msr(vcpu_fd, MSR_KERNEL_GS_BASE),
		.cs = segment(&s.cs),
		.ds = segment(&s.ds),
		.es = segment(&s.es),
		.fs = segment(&s.fs),
		.gs = segment(&s.gs),
		.ss = segment(&s.ss),
		.ldt = segment(&s.ldt),
		.tr = segment(&s.tr),
		.gdt = table(&s.gdt),
		.idt = table(&s.idt),
	};
	_Static_assert(offsetof(struct blackbox_regs, cr0) == sizeof g, "the same order");
	memcpy(ret, &g, sizeof g);
	read_fpu(&f, ret->fpu);
	return 0;
}
