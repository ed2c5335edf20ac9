/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exception.h - put an exception before the guest, or a no-op in the place of an instruction.
 * Worker, vCPU threads, between two entries into the guest.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum exception { EXCEPTION_UD = 6, EXCEPTION_GP = 13 };

/* The next entry delivers it, with error code 0 where it has one (KVM_SET_VCPU_EVENTS, section 4.32). */
int exception_raise(int vcpu_fd, enum exception x, struct err *e);
/* Step over the instruction at rip; an exception that KVM had queued for it is dropped. */
int exception_skip(int vcpu_fd, size_t bytes, struct err *e);
/* 16, 32 or 64: how the code segment has the processor decode. */
unsigned exception_code_bits(int vcpu_fd);
