/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blackbox.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "tests/unit/test.h"

struct pair {
	struct blackbox_map w, r;
};

static struct pair box(void)
{
	AUTO_FD int fd = -1;
	struct pair p;
	struct err e;

	assert_int_equal(blackbox_create("vm", 2, 3, &fd, &e), 0);
	assert_int_equal(blackbox_map_writer(fd, &p.w, &e), 0);
	assert_int_equal(blackbox_map_reader(fd, &p.r, &e), 0);
	return p;
}

static void drop(struct pair *p)
{
	blackbox_unmap(&p->w);
	blackbox_unmap(&p->r);
}

TEST(blackbox_has_room_for_what_is_below_its_limit_and_never_for_less_than_nothing)
{
	struct pair p = box();

	assert_int_equal(blackbox_typing_room(&p.r, 0), 0);
	atomic_store(&p.w.box->typed_limit, 4096);
	assert_int_equal(blackbox_typing_room(&p.r, 1024), 3072);
	assert_int_equal(blackbox_typing_room(&p.r, 4096), 0);
	assert_int_equal(blackbox_typing_room(&p.r, UINT64_MAX), 0);
	drop(&p);
}

TEST(blackbox_reader_sees_what_was_printed)
{
	struct pair p = box();
	char text[64];
	uint64_t pos = 0;

	blackbox_console(&p.w, "hello ", 6);
	blackbox_console(&p.w, "world\n", 6);
	assert_int_equal(blackbox_read_console(&p.r, &pos, text, 5), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(blackbox_read_console(&p.r, &pos, text, sizeof text), 7);
	assert_memory_equal(text, " world\n", 7);
	assert_int_equal(blackbox_read_console(&p.r, &pos, text, sizeof text), 0);
	drop(&p);
}

TEST(blackbox_slow_reader_gets_the_newest_bytes)
{
	struct pair p = box();
	static char chunk[1000], text[BLACKBOX_CONSOLE];
	uint64_t pos = 0;
	size_t n;

	for (int i = 0; i < 600; i++) {
		memset(chunk, 'a' + i % 26, sizeof chunk);
		blackbox_console(&p.w, chunk, sizeof chunk);
	}
	n = blackbox_read_console(&p.r, &pos, text, sizeof text);
	assert_int_equal(n, BLACKBOX_CONSOLE);
	assert_int_equal(pos, 600 * 1000);
	assert_int_equal(text[n - 1], 'a' + 599 % 26);
	drop(&p);
}

TEST(blackbox_survives_a_writer_that_lies)
{
	struct pair p = box();
	struct blackbox_exit exits[8];
	struct blackbox_end end;
	char text[64];
	uint64_t pos = 7;

	memset(&p.w.box->end, 0xff, sizeof p.w.box->end);
	atomic_store(&p.w.box->console_head, UINT64_MAX - 3);
	assert_int_equal(blackbox_read_console(&p.r, &pos, text, sizeof text), sizeof text);
	atomic_store(&p.w.box->console_head, 2); /* backwards */
	assert_int_equal(blackbox_read_console(&p.r, &pos, text, sizeof text), 0);
	atomic_store(&p.w.box->exits_head, UINT64_MAX);
	assert_int_equal(blackbox_read_exits(&p.r, exits, NELEMS(exits)), 0);
	assert_int_equal(blackbox_read_end(&p.r, &end), 1);
	assert_int_equal(end.detail[sizeof end.detail - 1], 0);
	assert_int_equal(end.err.code, ERR_INTERNAL);
	p.w.box->n_vcpus = 4000; /* the reader keeps its own checked copy */
	assert_int_equal(p.r.n_vcpus, 2);
	drop(&p);
}

TEST(blackbox_keeps_the_last_exits_in_order)
{
	struct pair p = box();
	struct blackbox_exit got[4];

	for (uint64_t i = 1; i <= 1000; i++)
		blackbox_exit(&p.w, &(struct blackbox_exit){.at_ns = i, .rip = i});
	assert_int_equal(blackbox_read_exits(&p.r, got, NELEMS(got)), 4);
	assert_int_equal(got[0].rip, 997);
	assert_int_equal(got[3].rip, 1000);
	drop(&p);
}

TEST(blackbox_refuses_an_unsealed_or_resized_file)
{
	AUTO_FD int fd = memfd_create("x", MFD_CLOEXEC);
	AUTO_FD int whole = -1;
	struct blackbox_map m;
	struct err e;

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(blackbox_map_reader(fd, &m, &e), -1);
	assert_int_equal(blackbox_create("vm", 1, 1, &whole, &e), 0);
	assert_int_equal(ftruncate(whole, 4096), -1);
	assert_int_equal(blackbox_create("vm", 0, 1, &fd, &e), -1);
	assert_int_equal(blackbox_create("vm", BLACKBOX_MAX_VCPUS + 1, 1, &fd, &e), -1);
}

TEST(blackbox_map_is_read_back_bounded_and_counted_beyond)
{
	struct pair p = box();
	struct blackbox_place row = {.bytes = 1, .space = 99, .class = 99}, got;

	memset(row.name, 'x', sizeof row.name);
	assert_int_equal(blackbox_read_place(&p.r, 0, &got), 0);
	for (uint32_t i = 0; i < BLACKBOX_PLACES; i++)
		assert_non_null(blackbox_place(&p.w, &row));
	assert_null(blackbox_place(&p.w, &row));
	assert_int_equal(p.r.box->n_places, BLACKBOX_PLACES + 1);
	assert_int_equal(blackbox_read_place(&p.r, BLACKBOX_PLACES - 1, &got), 1);
	assert_int_equal(blackbox_read_place(&p.r, BLACKBOX_PLACES, &got), 0);
	assert_true(got.space <= BLACKBOX_SLOT && got.class <= BLACKBOX_KERNEL);
	assert_true(strnlen(got.name, sizeof got.name) < sizeof got.name);
	drop(&p);
}

TEST(blackbox_registers_are_there_only_while_they_are_valid)
{
	struct pair p = box();
	struct blackbox_regs r;

	assert_int_equal(blackbox_read_regs(&p.r, 0, &r), 0);
	p.w.vcpu[1].regs.rip = 0x1234;
	p.w.vcpu[1].regs_valid = 1;
	assert_int_equal(blackbox_read_regs(&p.r, 1, &r), 1);
	assert_int_equal(r.rip, 0x1234);
	assert_int_equal(blackbox_read_regs(&p.r, 2, &r), 0);
	drop(&p);
}
