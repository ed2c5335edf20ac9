/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/exit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "base/str.h"
#include "vmm/machine/access.h"
#include "vmm/conf/board.h"
#include "vmm/machine/end.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/vcpu.h"
#include "vmm/x86/exception.h"
#include "vmm/x86/insn.h"

static uint64_t rip_of(const struct vcpu *v)
{
	return v->run->s.regs.regs.rip;
}

__attribute__((format(printf, 3, 4))) static void end_with(struct vcpu *v, enum cause cause,
							   const char *fmt, ...)
{
	struct machine_end how = {.cause = cause, .vcpu = v->index};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(how.detail, sizeof how.detail, fmt, ap);
	va_end(ap);
	end_now(v->ground->end, &how);
}

static void record(const struct vcpu *v, const struct access *a, enum space_answer answer)
{
	blackbox_exit(v->ground->box, &(struct blackbox_exit){.at_ns = clock_mono_ns(),
							      .rip = rip_of(v),
							      .address = a->address,
							      .value = a->value,
							      .vcpu = v->index,
							      .reason = v->run->exit_reason,
							      .width = (uint8_t)a->width,
							      .is_write = a->is_write,
							      .answered = (uint8_t)answer});
}

void exit_complete(struct vcpu *v)
{
	enum { PIECES = 64 }; /* of one instruction: bounded by KVM, and here */
	struct kvm_run *run = v->run;

	for (unsigned i = 0; i < PIECES; i++) {
		__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		if (ioctl(v->fd, KVM_RUN, 0) < 0)
			break;
		/* A further piece of the same instruction: nobody answers it. */
		if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof run->mmio.data);
		if (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN)
			memset((uint8_t *)run + run->io.data_offset, 0xff,
			       (size_t)run->io.size * run->io.count);
	}
	__atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/*
 * Undo what the instruction did and raise #GP(0) in its place. KVM has already moved rip past an
 * instruction that writes and that it emulated, so for such writes the saved rip is the next one.
 */
static void fail_access(struct vcpu *v)
{
	struct kvm_regs before = v->run->s.regs.regs;
	struct err e;

	exit_complete(v);
	if (kvm_call(v->fd, KVM_SET_REGS, &before, "take back an instruction", &e) < 0 ||
	    exception_raise(v->fd, EXCEPTION_GP, &e) < 0)
		end_now(v->ground->end, &(struct machine_end){.cause = CAUSE_WORKER_ERROR,
							      .vcpu = v->index,
							      .err = e});
}

static void fault(struct vcpu *v, const struct space *s, const struct access *a)
{
	char what[96];

	if (v->ground->board->unsupported.reference == BOARD_FAIL) {
		fail_access(v);
		return;
	}
	access_describe(s, a, what, sizeof what);
	end_with(v, CAUSE_UNSUPPORTED, "%s; rip 0x%" PRIx64, what, rip_of(v));
}

/* One access. False: it was not performed, and the instruction is over. */
static bool perform(struct vcpu *v, const struct space *s, struct access *a)
{
	enum space_answer answer = access_judge(s, a);
	bool is_fault = answer == SPACE_NOBODY || answer == SPACE_DENIED;

	/* Writes before they happen: if a vdev dies of one, the box names it. */
	if (a->is_write)
		record(v, a, answer);
	if (is_fault && v->ground->board->unsupported.reference != BOARD_IGNORE) {
		if (!a->is_write)
			record(v, a, answer);
		fault(v, s, a);
		return false;
	}
	access_perform(s, v->ground->box, a);
	if (!a->is_write)
		record(v, a, answer);
	return true;
}

static void on_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	/* String instructions come as `count` items for the one port. */
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		struct access a = {.address = run->io.port,
				   .width = run->io.size,
				   .is_write = run->io.direction == KVM_EXIT_IO_OUT};

		if (a.is_write)
			memcpy(&a.value, data, a.width);
		if (!perform(v, v->ground->port, &a))
			return;
		if (!a.is_write)
			memcpy(data, &a.value, a.width);
	}
}

static void on_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct access a = {.address = run->mmio.phys_addr,
			   .width = run->mmio.len,
			   .is_write = run->mmio.is_write};

	if (a.is_write)
		memcpy(&a.value, run->mmio.data, a.width);
	if (perform(v, v->ground->memory, &a) && !a.is_write)
		memcpy(run->mmio.data, &a.value, a.width);
}

/* KVM_CAP_X86_USER_SPACE_MSR: an MSR that KVM does not know (section 5, KVM_EXIT_X86_RDMSR). */
static void on_msr(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct access a = {.address = run->msr.index,
			   .value = run->msr.data,
			   .width = 8,
			   .is_write = run->exit_reason == KVM_EXIT_X86_WRMSR};

	record(v, &a, SPACE_NOBODY);
	run->msr.error = v->ground->board->unsupported.reg != BOARD_IGNORE; /* #GP(0) */
	if (!a.is_write)
		run->msr.data = 0;
	if (v->ground->board->unsupported.reg == BOARD_ABORT)
		end_with(v, CAUSE_UNSUPPORTED, "%s unknown MSR 0x%" PRIx64 "; rip 0x%" PRIx64,
			 a.is_write ? "write to" : "read from", a.address, rip_of(v));
}

static void hex(const uint8_t *bytes, size_t n, char *ret, size_t cap)
{
	size_t at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n; i++)
		str_add(ret, cap, &at, "%s%02x", i ? " " : "", bytes[i]);
}

/* KVM_INTERNAL_ERROR_EMULATION: an instruction that the emulator lacks, in ring 0 of the guest. */
static void on_instruction(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	enum board_reaction reaction = v->ground->board->unsupported.instruction;
	const uint8_t *bytes = run->emulation_failure.insn_bytes;
	size_t n = 0, length = 0;
	char text[48];
	struct err e = {0};

	if (run->emulation_failure.ndata >= 3 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		n = run->emulation_failure.insn_size <= 15 ? run->emulation_failure.insn_size : 15;
	if (reaction == BOARD_IGNORE)
		length = insn_length(bytes, n, exception_code_bits(v->fd));
	if (reaction == BOARD_FAIL && exception_raise(v->fd, EXCEPTION_UD, &e) == 0)
		return;
	if (length && exception_skip(v->fd, length, &e) == 0)
		return;
	hex(bytes, n, text, sizeof text);
	end_with(v, CAUSE_UNSUPPORTED, "instruction %s%s; rip 0x%" PRIx64, n ? text : "unreadable",
		 reaction == BOARD_IGNORE ? ", of unknown length" : "", rip_of(v));
}

static void on_internal(struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		on_instruction(v);
	else
		end_with(v, CAUSE_KVM_INTERNAL,
			 "KVM_EXIT_INTERNAL_ERROR suberror %u; rip 0x%" PRIx64,
			 run->internal.suberror, rip_of(v));
}

static void on_shutdown(struct vcpu *v)
{
	uint64_t last = atomic_load(&v->ground->box->vcpu[v->index].last_rip);

	if (last == rip_of(v))
		end_with(v, CAUSE_TRIPLE_FAULT, "vCPU %u, rip 0x%" PRIx64, v->index, last);
	else
		end_with(v, CAUSE_TRIPLE_FAULT,
			 "vCPU %u; KVM has reset its registers, its exit before was at rip "
			 "0x%" PRIx64,
			 v->index, last);
}

static void on_fail_entry(struct vcpu *v)
{
	end_with(v, CAUSE_KVM_INTERNAL, "KVM_EXIT_FAIL_ENTRY reason 0x%" PRIx64 "; rip 0x%" PRIx64,
		 (uint64_t)v->run->fail_entry.hardware_entry_failure_reason, rip_of(v));
}

static void on_system_event(struct vcpu *v)
{
	uint32_t type = v->run->system_event.type;

	end_with(v,
		 type == KVM_SYSTEM_EVENT_SHUTDOWN ? CAUSE_POWEROFF
		 : type == KVM_SYSTEM_EVENT_RESET  ? CAUSE_REBOOT
						   : CAUSE_UNKNOWN_EXIT,
		 "KVM_EXIT_SYSTEM_EVENT type %u", type);
}

/* Left for our own sake: nothing to do but to look at the end. */
static void on_interrupted(struct vcpu *v)
{
	(void)v;
}

static const struct {
	void (*handle)(struct vcpu *v);
	bool is_access; /* records itself */
} handlers[] = {
	[KVM_EXIT_IO] = {on_io, true},
	[KVM_EXIT_MMIO] = {on_mmio, true},
	[KVM_EXIT_X86_RDMSR] = {on_msr, true},
	[KVM_EXIT_X86_WRMSR] = {on_msr, true},
	[KVM_EXIT_INTR] = {on_interrupted, true},
	[KVM_EXIT_SHUTDOWN] = {on_shutdown, false},
	[KVM_EXIT_INTERNAL_ERROR] = {on_internal, false},
	[KVM_EXIT_FAIL_ENTRY] = {on_fail_entry, false},
	[KVM_EXIT_SYSTEM_EVENT] = {on_system_event, false},
};

void exit_handle(struct vcpu *v)
{
	uint32_t reason = v->run->exit_reason;
	bool is_known = reason < NELEMS(handlers) && handlers[reason].handle;

	if (!is_known || !handlers[reason].is_access)
		record(v, &(struct access){.address = rip_of(v)}, SPACE_NO_ACCESS);
	if (is_known)
		handlers[reason].handle(v);
	else
		end_with(v, CAUSE_UNKNOWN_EXIT, "exit reason %u; rip 0x%" PRIx64, reason,
			 rip_of(v));
}
