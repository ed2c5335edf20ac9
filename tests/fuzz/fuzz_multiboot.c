/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile kernel of any format, multiboot above all, with two modules and a command line beside it,
 * into a small fake guest. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"

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
	struct board_load load[3] = {{.path = "kernel", .line = 1},
				     {.path = "data",
				      .type = BOARD_IMAGE_DATA,
				      .has_gpa = true,
				      .gpa = 0x300000,
				      .line = 2},
				     {.path = "ramdisk", .type = BOARD_IMAGE_INITRD, .line = 3}};
	struct board b = {.load = load, .n_loads = 3, .cmdline = "console=ttyS0"};
	struct entry entry = {.mode = ENTRY_REAL};
	struct err e = {0};
	struct memory m;
	int r;

	if (!bytes)
		bytes = calloc(1, 0x4e0000);
	if (!bytes)
		abort();
	/* Most inputs without the options that only a boot protocol can take. */
	if (n && data[n - 1] & 1) {
		b.n_loads = 1;
		b.cmdline[0] = '\0';
	}
	memory_over(&m, ranges, 3, bytes);
	load[0].fd = file_of(data, n);
	load[1].fd = file_of("data", 4);
	load[2].fd = file_of("ramdisk", 7);
	r = image_load_board(&b, &m, &entry, &e);
	/* Either an error that says why, or an entry that lies in memory. */
	if (r < 0 ? e.code != ERR_START || !*e.msg : !memory_at(&m, entry.gpa, 1))
		__builtin_trap();
	close(load[0].fd);
	close(load[1].fd);
	close(load[2].fd);
	memory_unmap(&m);
	return 0;
}
