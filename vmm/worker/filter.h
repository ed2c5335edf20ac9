/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - which system calls a worker may make, phase by phase, as tables. Worker.
 *
 * The first filter is for parsing and assembling; the final one, loaded on top before the guest
 * starts, leaves what a running machine and the vdevs of this board need. What they forbid ends in
 * vmm/worker/forbidden.c.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct board;

int filter_first(bool is_supervised, struct err *e);
int filter_final(const struct board *b, bool is_supervised, struct err *e);
