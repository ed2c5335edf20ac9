/* SPDX-License-Identifier: Apache-2.0 */
/* exit_reason.h - names of KVM's exit reasons; the table is exits.def. All processes. */
#pragma once

#include <stdint.h>

/* "mmio"; "exit-99" style text is not made: an unknown number is "other". */
const char *exit_reason_id(uint32_t reason);
