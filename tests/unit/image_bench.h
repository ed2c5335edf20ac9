/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_bench.h - a board's memory and the files it loads, for the tests of the image loaders.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"

enum { MIB = 1 << 20 };

/* A board with 640 KiB, a ROM and 31 MiB from 1 MiB on, and the files it loads. */
struct bench {
	struct board b;
	struct board_load load[4];
	struct memory m;
	uint8_t *bytes;
	struct entry entry;
	struct err e;
};

static inline void set_up(struct bench *t)
{
	static const struct board_memory ranges[] = {
		{.gpa = 0, .bytes = 0xa0000},
		{.gpa = 0xc0000, .bytes = 0x40000, .is_rom = true},
		{.gpa = MIB, .bytes = 31 * MIB},
	};

	memset(t, 0, sizeof *t);
	t->bytes = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(t->bytes != MAP_FAILED);
	memory_over(&t->m, ranges, 3, t->bytes);
	t->b.load = t->load;
}

static inline void tear_down(struct bench *t)
{
	for (unsigned i = 0; i < t->b.n_loads; i++)
		close(t->load[i].fd);
	memory_unmap(&t->m);
	munmap(t->bytes, 32 * MIB);
}

static inline struct board_load *add(struct bench *t, const char *name, const void *bytes, size_t n)
{
	struct board_load *l = &t->load[t->b.n_loads++];

	strcpy(l->path, name);
	l->fd = memfd_create(name, MFD_CLOEXEC);
	assert_int_equal(write(l->fd, bytes, n), n);
	return l;
}

static inline int boot(struct bench *t)
{
	return image_load_board(&t->b, &t->m, &t->entry, NULL, &t->e);
}

static inline void expect_refusal(struct bench *t, const char *part)
{
	assert_int_equal(boot(t), -1);
	assert_int_equal(t->e.code, ERR_START);
	if (!strstr(t->e.msg, part))
		fail_msg("'%s' does not say '%s'", t->e.msg, part);
}

static inline const void *at(struct bench *t, uint64_t gpa, uint64_t bytes)
{
	const void *p = memory_at(&t->m, gpa, bytes);

	assert_non_null(p);
	return p;
}
