/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_driver.h - a hostile kernel into a small fake guest, with other images beside it. The whole of it
 * is here, for the one file of a target, which has two definitions
 *
 *	const struct board_load image_load[] = {{.path = "kernel", .line = 1}, ...};	// the first is the input
 *	const unsigned image_loads = NELEMS(image_load);
 *
 * and includes this and "vmm/conf/board.h". The last byte of the input, odd = the kernel alone.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"

enum { IMAGE_MEMORY = 0x4e0000, IMAGES_MOST = 4 };

/* Of the file of the target. */
extern const struct board_load image_load[];
extern const unsigned image_loads;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct board_memory ranges[] = {
		{.gpa = 0, .bytes = 0xa0000},
		{.gpa = 0xc0000, .bytes = 0x40000, .is_rom = true},
		{.gpa = 0x100000, .bytes = 0x400000},
	};
	static uint8_t *bytes;
	struct board_load load[IMAGES_MOST] = {0};
	struct board b = {.load = load, .n_loads = image_loads, .cmdline = "console=ttyS0"};
	struct entry entry = {.mode = ENTRY_REAL};
	struct err e = {0};
	struct memory m;
	int r;

	if (!bytes)
		bytes = calloc(1, IMAGE_MEMORY);
	if (!bytes)
		abort();
	/* Most inputs without the options that only a boot protocol can take. */
	if (n && data[n - 1] & 1) {
		b.n_loads = 1;
		b.cmdline[0] = '\0';
	}
	memcpy(load, image_load, image_loads * sizeof *load);
	memory_over(&m, ranges, NELEMS(ranges), bytes);
	load[0].fd = file_of(data, n);
	for (unsigned i = 1; i < image_loads; i++)
		load[i].fd = file_of(image_load[i].path, strlen(image_load[i].path));
	r = image_load_board(&b, &m, &entry, NULL, &e);
	/* Either an error that says why, or an entry that lies in memory. */
	if (r < 0 ? e.code != ERR_START || !*e.msg : !memory_at(&m, entry.gpa, 1))
		__builtin_trap();
	for (unsigned i = 0; i < image_loads; i++)
		close(load[i].fd);
	memory_unmap(&m);
	return 0;
}
