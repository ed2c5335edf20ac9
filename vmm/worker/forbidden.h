/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forbidden.h - what happens when the worker makes a system call that its seccomp filter forbids:
 * the number is written into the black box, then the kernel kills the process with SIGSYS. Worker.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"

/* Catch SIGSYS, on its own stack in the calling thread. Before the first filter. */
int forbidden_catch(struct err *e);
/* Where to write the number + 1: `forbidden` of the mapped black box, for the rest of the process's
 * life. Until then a line on stderr tells it. */
void forbidden_record(_Atomic int32_t *place);
