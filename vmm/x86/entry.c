/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/entry.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/machine/kvm.h"

enum {
	PAGE = 0x1000,
	CR0_PE = 1 << 0,
	CR0_ET = 1 << 4,
	CR4_PAE = 1 << 5,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	RFLAGS_ONE = 1 << 1, /* always set */
	PRESENT_WRITABLE = 3,
	LARGE_PAGE = 1 << 7,
	MSR_MISC_ENABLE = 0x1a0,
	MISC_ENABLE_FAST_STRING = 1,
	MSR_MTRR_DEFTYPE = 0x2ff,
	MTRR_ENABLED_WRITE_BACK = 1 << 11 | 6,
	SELECTOR_CODE = 0x10, /* __BOOT_CS and __BOOT_DS of Linux's boot protocols */
	SELECTOR_DATA = 0x18,
	RESET_SELECTOR = 0xf000,
	RESET_IP = 0xfff0,
	SELECTOR_TSS = 0x20,
};
#define CR0_PG (1u << 31)

/* Flat descriptors (SDM volume 3, 3.4.5); the TSS is there because VMX demands one. */
#define CODE64 0x00af9b000000ffff
#define CODE32 0x00cf9b000000ffff
static const uint64_t gdt[] = {0, CODE64, CODE32, 0x00cf93000000ffff, 0x00008b0000000067, 0};

static bool is_flat(enum entry_mode mode)
{
	return mode == ENTRY_PROTECTED || mode == ENTRY_LONG;
}

uint64_t entry_table_bytes(enum entry_mode mode)
{
	return !is_flat(mode) ? 0 : mode == ENTRY_PROTECTED ? PAGE : ENTRY_TABLE_BYTES;
}

void entry_write_tables(const struct entry *x, uint8_t *host)
{
	uint64_t table = x->tables + PAGE; /* PML4, PDPT, four page directories */
	uint64_t value;

	memcpy(host, gdt, sizeof gdt);
	if (x->mode != ENTRY_LONG)
		return;
	value = CODE64;
	memcpy(host + SELECTOR_CODE, &value, sizeof value);
	value = (table + PAGE) | PRESENT_WRITABLE;
	memcpy(host + PAGE, &value, sizeof value);
	for (unsigned i = 0; i < 4; i++) {
		value = (table + (2 + i) * PAGE) | PRESENT_WRITABLE;
		memcpy(host + 2 * PAGE + i * sizeof value, &value, sizeof value);
	}
	for (uint64_t i = 0; i < 4 * 512; i++) { /* 2 MiB each */
		value = i << 21 | PRESENT_WRITABLE | LARGE_PAGE;
		memcpy(host + 3 * PAGE + i * sizeof value, &value, sizeof value);
	}
}

static struct kvm_segment flat(uint16_t selector, uint8_t type, bool is_64)
{
	return (struct kvm_segment){.limit = UINT32_MAX,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .s = 1,
				    .db = !is_64,
				    .l = is_64,
				    .g = 1};
}

static void set_real(const struct entry *x, struct kvm_sregs *s)
{
	struct kvm_segment *const data[] = {&s->ds, &s->es, &s->ss};

	s->cs.base = x->gpa & ~UINT64_C(15);
	s->cs.selector = (uint16_t)(x->gpa >> 4);
	for (size_t i = 0; i < NELEMS(data); i++) {
		data[i]->base = s->cs.base;
		data[i]->selector = s->cs.selector;
	}
}

/* A vCPU of KVM is born in this state; only the base depends on the ROM. */
static void set_reset(const struct entry *x, struct kvm_sregs *s)
{
	s->cs.base = x->gpa - RESET_IP;
	s->cs.selector = RESET_SELECTOR;
}

static void set_flat(const struct entry *x, struct kvm_sregs *s)
{
	struct kvm_segment *const data[] = {&s->ds, &s->es, &s->ss, &s->fs, &s->gs};

	s->cs = flat(SELECTOR_CODE, 11, x->mode == ENTRY_LONG);
	for (size_t i = 0; i < NELEMS(data); i++)
		*data[i] = flat(SELECTOR_DATA, 3, false);
	/* PVH: "tr" a 32-bit TSS, base 0, limit 0x67. */
	s->tr = (struct kvm_segment){
		.limit = 0x67, .selector = SELECTOR_TSS, .type = 11, .present = 1};
	s->gdt.base = x->tables;
	s->gdt.limit = sizeof gdt - 1;
	s->idt.base = 0;
	s->idt.limit = 0;
	s->cr0 = CR0_PE | CR0_ET;
	s->cr4 = 0;
	if (x->mode != ENTRY_LONG)
		return;
	s->cr0 |= CR0_PG;
	s->cr3 = x->tables + PAGE;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
}

int entry_set(const struct entry *x, int vcpu_fd, struct err *e)
{
	struct kvm_regs g = {
		.rip = x->gpa, .rax = x->rax, .rbx = x->rbx, .rsi = x->rsi, .rflags = RFLAGS_ONE};
	struct kvm_sregs s;

	if (kvm_call(vcpu_fd, KVM_GET_SREGS, &s, "tell the registers of a vCPU", e) < 0)
		return -1;
	if (x->mode == ENTRY_RESET) {
		set_reset(x, &s);
		g.rip = RESET_IP;
	} else if (x->mode == ENTRY_REAL) {
		set_real(x, &s);
		g.rip = x->gpa & 15;
	} else {
		set_flat(x, &s);
	}
	if (kvm_call(vcpu_fd, KVM_SET_SREGS, &s, "set the registers of a vCPU", e) < 0 ||
	    kvm_call(vcpu_fd, KVM_SET_REGS, &g, "set the registers of a vCPU", e) < 0)
		return err_wrap(e, "entry at 0x%" PRIx64, x->gpa);
	return 0;
}

int entry_reset(int vcpu_fd, unsigned index, struct err *e)
{
	static const struct kvm_msr_entry wanted[] = {
		{.index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING},
		/* Memory is cacheable unless a guest says otherwise. */
		{.index = MSR_MTRR_DEFTYPE, .data = MTRR_ENABLED_WRITE_BACK},
	};
	struct kvm_mp_state wait = {.mp_state = KVM_MP_STATE_UNINITIALIZED};
	union {
		struct kvm_msrs h;
		char room[sizeof(struct kvm_msrs) + sizeof wanted];
	} msrs = {.h = {.nmsrs = NELEMS(wanted)}};
	int n;

	memcpy(msrs.h.entries, wanted, sizeof wanted);
	n = kvm_call(vcpu_fd, KVM_SET_MSRS, &msrs, "set the MSRs of a vCPU", e);
	if (n < 0)
		return -1;
	if ((size_t)n < NELEMS(wanted))
		return err_set(e, KVM, "KVM refused MSR 0x%x on vCPU %u", wanted[n].index, index);
	if (index &&
	    kvm_call(vcpu_fd, KVM_SET_MP_STATE, &wait, "have a vCPU wait for its SIPI", e) < 0)
		return -1;
	return 0;
}
