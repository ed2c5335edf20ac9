/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wall clock that can be set without the machine's: preloaded into qvmd, it adds the milliseconds
 * (int64) at the beginning of the file CLOCK_SHIFT to CLOCK_REALTIME. Nothing else is changed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_ms;

static void __attribute__((constructor)) open_shift(void)
{
	const char *path = getenv("CLOCK_SHIFT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, sizeof *shift_ms, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (p != MAP_FAILED)
		shift_ms = p;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);
	int64_t ns;

	if (r < 0 || clock != CLOCK_REALTIME || !shift_ms)
		return r;
	ns = ret->tv_nsec + *shift_ms % 1000 * 1000000;
	ret->tv_sec += *shift_ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
	ret->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
	return 0;
}
