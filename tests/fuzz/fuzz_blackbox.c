/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that writes what it likes into its black box: its readers must neither overrun nor loop. */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"

enum { READS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(const struct blackbox_map *m)
{
	static char text[4096];
	struct blackbox_exit exits[32];
	struct blackbox_place place;
	struct blackbox_regs regs;
	struct blackbox_end end;
	uint64_t console = 0, log = UINT64_MAX;

	for (int i = 0; i < READS; i++) {
		if (blackbox_read_console(m, &console, text, sizeof text) > sizeof text ||
		    blackbox_read_log(m, &log, text, sizeof text) > sizeof text)
			__builtin_trap();
	}
	if (blackbox_read_exits(m, exits, NELEMS(exits)) > NELEMS(exits))
		__builtin_trap();
	for (uint32_t i = 0; blackbox_read_place(m, i, &place); i++)
		if (i >= BLACKBOX_PLACES || place.space > BLACKBOX_SLOT ||
		    place.class > BLACKBOX_KERNEL ||
		    strnlen(place.name, sizeof place.name) == sizeof place.name)
			__builtin_trap();
	for (uint32_t i = 0; i <= m->n_vcpus; i++)
		if (blackbox_read_regs(m, i, &regs) && i == m->n_vcpus)
			__builtin_trap();
	if (blackbox_read_end(m, &end) &&
	    (strnlen(end.detail, sizeof end.detail) == sizeof end.detail ||
	     end.err.code >= ERR_COUNT || end.err.n_frames > ERR_FRAMES))
		__builtin_trap();
}

/* Byte 0: bit 0 scribbles over the header before it is mapped, else behind the reader's back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_FD int fd = -1;
	struct blackbox_map m;
	struct err e;
	bool is_early;

	if (n < 2 || blackbox_create("vm", 1 + data[1] % 4, data[1] / 64, &fd, &e) < 0)
		return 0;
	is_early = data[0] & 1;
	n -= 2;
	if (n > blackbox_bytes(1, 0))
		n = blackbox_bytes(1, 0);
	if (is_early && pwrite(fd, data + 2, n, 0) != (ssize_t)n)
		return 0;
	if (blackbox_map_reader(fd, &m, &e) < 0)
		return 0;
	if (!is_early && pwrite(fd, data + 2, n, 0) != (ssize_t)n)
		return 0;
	read_all(&m);
	blackbox_unmap(&m);
	return 0;
}
