/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit.h - what a vCPU does with each reason for which KVM left the guest (section 5, struct
 * kvm_run). Worker, vCPU threads.
 *
 * What nobody answers, what KVM cannot emulate and what it does not know of meets the `unsupported`
 * policy (QNX: section 3.6 of the fact sheet):
 *   abort   the machine ends, the detail names address, width, direction and rip;
 *   fail    the guest gets the exception: #GP(0) for a reference or a register, #UD for an instruction;
 *   ignore  reads give all ones (a register: zero), writes are dropped, the instruction is a no-op.
 */
#pragma once

struct vcpu;

/* Handle the exit that v->run tells of. May end the machine. */
void exit_handle(struct vcpu *v);
/*
 * Let KVM finish the instruction that it left in the middle: registers are consistent only after the
 * vCPU was entered again (section 5, note on KVM_EXIT_IO). No guest instruction is executed.
 */
void exit_complete(struct vcpu *v);
