/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

uint64_t clock_boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct timespec clock_mono_in(uint64_t ms)
{
	uint64_t ns = clock_mono_ns() + ms * 1000000u;

	return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

int64_t clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *clock_iso(int64_t wall_ms, char ret[static CLOCK_ISO])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(ret, CLOCK_ISO, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, CLOCK_ISO - n, ".%03dZ", (int)(wall_ms % 1000));
	return ret;
}
