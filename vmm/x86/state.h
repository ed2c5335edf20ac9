/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - all registers of a vCPU as the black box keeps them. Worker, the vCPU's thread. */
#pragma once

struct blackbox_regs;

/* Between two instructions (exit_complete()). -1: KVM did not tell; *ret is untouched. */
int state_read(int vcpu_fd, struct blackbox_regs *ret);
