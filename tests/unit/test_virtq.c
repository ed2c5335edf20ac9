/* SPDX-License-Identifier: Apache-2.0 */
/* The device's end of a virtqueue, and a driver that keeps no rule. */
#include "vmm/virtio/queue.h"

#include <linux/virtio_ring.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

/* Guest memory: rings in the first pages, buffers from 0x4000 on, ROM in the last page. */
enum { SIZE = 8, TABLE = 0x1000, AVAILABLE = 0x2000, USED = 0x3000, BUFFER = 0x4000 };
enum { INDIRECT = 0x5000, MEMORY = 0x10000, ROM = MEMORY - 0x1000 };

struct ring {
	struct vdev_bench b;
	struct virtq q;
	struct virtq_chain c;
	_Alignas(4096) uint8_t memory[MEMORY];
};

static void set_up(struct ring *r, bool has_event_index)
{
	memset(r, 0, sizeof *r);
	r->b.memory = r->memory;
	r->b.memory_bytes = MEMORY;
	virtq_reset(&r->q, (struct machine *)&r->b, SIZE);
	r->q.desc = TABLE;
	r->q.driver = AVAILABLE;
	r->q.device = USED;
	assert_int_equal(virtq_turn_on(&r->q, has_event_index), 0);
}

static uint16_t *half(struct ring *r, uint64_t at)
{
	return (uint16_t *)(void *)(r->memory + at);
}

static void put(struct ring *r, uint64_t table, unsigned i, uint64_t addr, uint32_t len,
		uint16_t flags, uint16_t next)
{
	struct vring_desc d = {addr, len, flags, next};

	memcpy(r->memory + table + i * sizeof d, &d, sizeof d);
}

/* Make chain `head` available. */
static void offer(struct ring *r, uint16_t head)
{
	uint16_t *index = half(r, AVAILABLE + 2);

	*half(r, AVAILABLE + 4 + 2u * (*index % SIZE)) = head;
	++*index;
}

static int take(struct ring *r)
{
	return virtq_take(&r->q, &r->c);
}

TEST(virtq_gives_a_chain_with_its_readable_parts_first)
{
	struct ring r;
	char bytes[8] = "";

	set_up(&r, false);
	assert_int_equal(take(&r), 0);
	put(&r, TABLE, 3, BUFFER, 3, VRING_DESC_F_NEXT, 5);
	put(&r, TABLE, 5, BUFFER + 16, 2, VRING_DESC_F_NEXT, 1);
	put(&r, TABLE, 1, BUFFER + 32, 100, VRING_DESC_F_WRITE, 77);
	memcpy(r.memory + BUFFER, "abc", 3);
	memcpy(r.memory + BUFFER + 16, "de", 2);
	offer(&r, 3);
	assert_int_equal(take(&r), 1);
	assert_int_equal(r.c.n_out, 2);
	assert_int_equal(r.c.n_in, 1);
	assert_int_equal(r.c.out_bytes, 5);
	assert_int_equal(r.c.in_bytes, 100);
	assert_int_equal(virtq_read(&r.c, 2, bytes, sizeof bytes), 3);
	assert_string_equal(bytes, "cde");
	assert_int_equal(virtq_write(&r.c, 98, "xyz", 3), 2);
	assert_memory_equal(r.memory + BUFFER + 32 + 98, "xy\0", 3);
	virtq_give(&r.q, &r.c, 100);
	assert_int_equal(*half(&r, USED + 2), 1);
	assert_int_equal(r.memory[USED + 4], 3);
	assert_int_equal(r.memory[USED + 8], 100);
	assert_int_equal(take(&r), 0);
}

TEST(virtq_follows_an_indirect_table_behind_direct_descriptors)
{
	struct ring r;

	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, VRING_DESC_F_NEXT, 1);
	put(&r, TABLE, 1, INDIRECT, 3 * 16, VRING_DESC_F_INDIRECT, 0);
	put(&r, INDIRECT, 0, BUFFER, 2, VRING_DESC_F_NEXT, 2);
	put(&r, INDIRECT, 2, BUFFER, 4, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	put(&r, INDIRECT, 1, BUFFER, 8, VRING_DESC_F_WRITE, 0);
	offer(&r, 0);
	assert_int_equal(take(&r), 1);
	assert_int_equal(r.c.out_bytes, 3);
	assert_int_equal(r.c.in_bytes, 12);
}

/* A driver that puts one wrong thing into an otherwise sound queue: what the fault says. */
static const char *wrong(struct ring *r)
{
	offer(r, 0);
	assert_int_equal(take(r), -1);
	assert_int_equal(take(r), -1); /* for good */
	return r->q.fault;
}

TEST(virtq_faults_at_cycles_and_indices_beyond_the_table)
{
	struct ring r;

	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, VRING_DESC_F_NEXT, 0);
	assert_string_equal(wrong(&r), "a chain that never ends");
	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, VRING_DESC_F_NEXT, SIZE);
	assert_string_equal(wrong(&r), "a descriptor index beyond the table");
	set_up(&r, false);
	offer(&r, SIZE);
	assert_string_equal(wrong(&r), "a descriptor index beyond the table");
	set_up(&r, false);
	*half(&r, AVAILABLE + 2) = SIZE; /* offer() makes it one more */
	assert_string_equal(wrong(&r), "an available index that is too far ahead");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 2 * 16, VRING_DESC_F_INDIRECT, 0);
	put(&r, INDIRECT, 0, BUFFER, 1, VRING_DESC_F_NEXT, 1);
	put(&r, INDIRECT, 1, BUFFER, 1, VRING_DESC_F_NEXT, 0);
	assert_string_equal(wrong(&r), "a chain that never ends");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 2 * 16, VRING_DESC_F_INDIRECT, 0);
	put(&r, INDIRECT, 0, BUFFER, 1, VRING_DESC_F_NEXT, 2);
	assert_string_equal(wrong(&r), "a descriptor index beyond the table");
}

TEST(virtq_faults_at_buffers_outside_of_memory_and_writes_to_rom)
{
	static const struct {
		uint64_t addr;
		uint32_t len;
	} outside[] = {{MEMORY, 1},	    {MEMORY - 1, 2}, {UINT64_MAX, 2},
		       {UINT64_MAX - 1, 1}, {0, UINT32_MAX}, {1ull << 63, 16}};
	struct ring r;

	for (unsigned i = 0; i < sizeof outside / sizeof outside[0]; i++) {
		set_up(&r, false);
		put(&r, TABLE, 0, outside[i].addr, outside[i].len, i & 1 ? VRING_DESC_F_WRITE : 0,
		    0);
		assert_string_equal(wrong(&r), "a buffer outside of memory");
	}
	set_up(&r, false);
	put(&r, TABLE, 0, ROM, 16, 0, 0); /* may be read */
	offer(&r, 0);
	assert_int_equal(take(&r), 1);
	put(&r, TABLE, 0, ROM, 16, VRING_DESC_F_WRITE, 0);
	assert_string_equal(wrong(&r), "a buffer outside of memory");
}

TEST(virtq_faults_at_misuse_of_indirect_tables_and_order)
{
	struct ring r;

	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	put(&r, TABLE, 1, BUFFER, 1, 0, 0);
	assert_string_equal(wrong(&r), "a readable buffer behind a writable one");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	assert_string_equal(wrong(&r), "an indirect table that is not the end of its chain");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 16, VRING_DESC_F_INDIRECT, 0);
	put(&r, INDIRECT, 0, INDIRECT, 16, VRING_DESC_F_INDIRECT, 0);
	assert_string_equal(wrong(&r), "an indirect table within another");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 17, VRING_DESC_F_INDIRECT, 0);
	assert_string_equal(wrong(&r), "an indirect table of an impossible length");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, 0, VRING_DESC_F_INDIRECT, 0);
	assert_string_equal(wrong(&r), "an indirect table of an impossible length");
	set_up(&r, false);
	put(&r, TABLE, 0, INDIRECT, (VIRTQ_MOST + 1) * 16, VRING_DESC_F_INDIRECT, 0);
	assert_string_equal(wrong(&r), "an indirect table of an impossible length");
	set_up(&r, false);
	put(&r, TABLE, 0, MEMORY - 16, 32, VRING_DESC_F_INDIRECT, 0);
	assert_string_equal(wrong(&r), "an indirect table outside of memory");
}

TEST(virtq_refuses_to_bound_a_chain_over_both_tables)
{
	struct ring r;

	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, VRING_DESC_F_NEXT, 1);
	put(&r, TABLE, 1, INDIRECT, VIRTQ_MOST * 16, VRING_DESC_F_INDIRECT, 0);
	for (unsigned i = 0; i < VIRTQ_MOST; i++)
		put(&r, INDIRECT, i, BUFFER, 1, i + 1 < VIRTQ_MOST ? VRING_DESC_F_NEXT : 0,
		    (uint16_t)(i + 1));
	assert_string_equal(wrong(&r), "a chain that is too long");
}

TEST(virtq_is_not_turned_on_with_impossible_rings)
{
	static const struct {
		uint16_t size;
		uint64_t desc, driver, device;
	} bad[] = {
		{0, TABLE, AVAILABLE, USED},	      {3, TABLE, AVAILABLE, USED},
		{2 * SIZE, TABLE, AVAILABLE, USED},   {SIZE, TABLE + 8, AVAILABLE, USED},
		{SIZE, TABLE, AVAILABLE + 1, USED},   {SIZE, TABLE, AVAILABLE, USED + 2},
		{SIZE, MEMORY - 16, AVAILABLE, USED}, {SIZE, TABLE, MEMORY, USED},
		{SIZE, TABLE, AVAILABLE, ROM},	      {SIZE, UINT64_MAX - 15, AVAILABLE, USED},
	};
	struct ring r;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		set_up(&r, false);
		virtq_reset(&r.q, (struct machine *)&r.b, SIZE);
		r.q.size = bad[i].size;
		r.q.desc = bad[i].desc;
		r.q.driver = bad[i].driver;
		r.q.device = bad[i].device;
		assert_int_equal(virtq_turn_on(&r.q, false), -1);
		assert_non_null(r.q.fault);
		assert_int_equal(take(&r), -1);
	}
}

TEST(virtq_interrupts_unless_the_guest_said_not_to)
{
	struct ring r;

	set_up(&r, false);
	put(&r, TABLE, 0, BUFFER, 1, 0, 0);
	offer(&r, 0);
	assert_false(virtq_wants_interrupt(&r.q)); /* nothing was given */
	assert_int_equal(take(&r), 1);
	virtq_give(&r.q, &r.c, 0);
	assert_true(virtq_wants_interrupt(&r.q));
	assert_false(virtq_wants_interrupt(&r.q));
	*half(&r, AVAILABLE) = VRING_AVAIL_F_NO_INTERRUPT;
	virtq_give(&r.q, &r.c, 0);
	assert_false(virtq_wants_interrupt(&r.q));
}

TEST(virtq_interrupts_and_is_notified_at_the_event_indices)
{
	struct ring r;

	set_up(&r, true);
	put(&r, TABLE, 0, BUFFER, 1, 0, 0);
	*half(&r, AVAILABLE + 4 + 2 * SIZE) = 1; /* used_event: at the second */
	offer(&r, 0);
	offer(&r, 0);
	assert_int_equal(take(&r), 1);
	virtq_give(&r.q, &r.c, 0);
	assert_false(virtq_wants_interrupt(&r.q));
	assert_int_equal(take(&r), 1);
	virtq_give(&r.q, &r.c, 0);
	assert_true(virtq_wants_interrupt(&r.q));
	assert_int_equal(take(&r), 0);
	assert_int_equal(*half(&r, USED + 4 + 8 * SIZE), 2); /* avail_event: at the third */
}

TEST(virtq_goes_round_its_indices)
{
	struct ring r;

	set_up(&r, true);
	put(&r, TABLE, 0, BUFFER, 1, 0, 0);
	for (unsigned i = 0; i < 70000; i++) {
		offer(&r, 0);
		assert_int_equal(take(&r), 1);
		virtq_give(&r.q, &r.c, 0);
	}
	assert_int_equal(*half(&r, USED + 2), 70000 % 65536);
}
