/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile Linux bzImage: the input is the setup header from 0x1f1 on and what follows it; the file
 * gets the two marks that have it recognised. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { HEADER = 0x1f1, BOOT_FLAG = 0x1fe, MAGIC = 0x202, RAM = 0x2000000 };

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	return fd;
}

static int bzimage_of(const uint8_t *data, size_t n)
{
	uint8_t *file = calloc(1, HEADER + n + 32);
	int fd;

	if (!file)
		abort();
	memcpy(file + HEADER, data, n);
	memcpy(file + BOOT_FLAG, "\x55\xaa", 2);
	memcpy(file + MAGIC, "HdrS", 4);
	fd = file_of(file, HEADER + n);
	free(file);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct board_memory ranges[] = {
		{.gpa = 0, .bytes = 0xa0000},
		{.gpa = 0xc0000, .bytes = 0x40000, .is_rom = true},
		{.gpa = 0x100000, .bytes = RAM - 0xe0000},
	};
	static uint8_t *bytes;
	struct board_load load[2] = {{.path = "ramdisk", .type = BOARD_IMAGE_INITRD, .line = 1},
				     {.path = "vmlinuz", .line = 2}};
	struct board b = {.load = load, .n_loads = 2, .cmdline = "console=ttyS0"};
	struct entry entry = {.mode = ENTRY_REAL};
	struct err e = {0};
	struct memory m;
	int r;

	if (!bytes)
		bytes = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		abort();
	memory_over(&m, ranges, 3, bytes);
	load[0].fd = file_of("ramdisk", 7);
	load[1].fd = bzimage_of(data, n);
	r = image_load_board(&b, &m, &entry, NULL, &e);
	/* Either an error that says why, or an entry and boot parameters that lie in memory. */
	if (r < 0 ? e.code != ERR_START || !*e.msg
		  : !memory_at(&m, entry.gpa, 1) ||
			    (entry.mode == ENTRY_PROTECTED && !memory_at(&m, entry.rsi, 4096)))
		__builtin_trap();
	close(load[0].fd);
	close(load[1].fd);
	memory_unmap(&m);
	return 0;
}
