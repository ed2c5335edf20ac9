/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm.h - random sequences of everything that can happen, against what must always hold: one
 * worker a VM, intent on the disk before the deed, a stop is never undone, budgets are kept, nobody
 * waits for ever, the numbers of events have no gap, disk and memory agree in the end. tests/sim.
 */
#pragma once

#include <stdint.h>

/* Returns the exit status of the program. */
int storm_run(uint64_t seed, unsigned n_steps);
