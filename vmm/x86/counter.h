/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h - the guest's time stamp counter beside the host's. Worker; assembly only.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Have the vCPU's counter be the host's and `offset`, modulo 2^64, for its life. ERR_START names the
 * variable where this host's KVM cannot. Without a call KVM has it begin at 0. */
int counter_set(int vcpu_fd, uint64_t offset, struct err *e);
