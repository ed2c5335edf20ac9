/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the two clocks. Every process.
 *
 * Decisions use monotonic time, passed as an argument; wall time is only for records that people
 * read. Monotonic values of one boot compare across processes.
 */
#pragma once

#include <stdint.h>
#include <time.h>

enum { CLOCK_ISO = 32 };

uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);
/* Since the host's boot, the time in which it was suspended included. */
uint64_t clock_boot_ms(void);
/* The monotonic time that is `ms` from now: the deadline of a wait for a lock or a thread. */
struct timespec clock_mono_in(uint64_t ms);
int64_t clock_wall_ms(void);
/* "2026-11-23T06:47:06.123Z" */
const char *clock_iso(int64_t wall_ms, char ret[static CLOCK_ISO]);
