/* SPDX-License-Identifier: Apache-2.0 */
/* exits.h - which exits of KVM a board wants besides the usual ones. Worker, at assembly. */
#pragma once

#include "base/err.h"

struct board;

/* Before the first vCPU is made. ERR_KVM names the option that this host's KVM cannot serve. */
int exits_choose(const struct board *b, int vm_fd, struct err *e);
