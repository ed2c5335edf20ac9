/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_virtqueue - a hostile driver against the device's end of a virtqueue.
 *
 * Input: size and alignment of the rings (4 bytes), then the guest's first 16 KiB of memory, as far as
 * it goes. Every request is taken, its bytes are read and written, and given back.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/virtio/queue.h"

enum { TABLE = 0x0000, AVAILABLE = 0x1000, USED = 0x1800, BUFFERS = 0x2000 };
enum { RAM = 0x4000, ROM = 0x1000, HEAD = 4, ROUNDS = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The guest: RAM, then a page of ROM. */
static _Alignas(4096) uint8_t memory[RAM + ROM];

void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m;
	return gpa < sizeof memory && bytes <= sizeof memory - gpa ? memory + gpa : NULL;
}

void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m;
	return gpa < RAM && bytes <= RAM - gpa ? memory + gpa : NULL;
}

static void check(const struct virtq_chain *c)
{
	size_t out = 0, in = 0;

	if (c->n_out + c->n_in == 0 || c->n_out + c->n_in > VIRTQ_MOST)
		abort();
	for (unsigned i = 0; i < c->n_out + c->n_in; i++) {
		size_t at = (size_t)((uint8_t *)c->part[i].iov_base - memory);

		if (at > sizeof memory || c->part[i].iov_len > sizeof memory - at)
			abort();
		if (i >= c->n_out && at + c->part[i].iov_len > RAM)
			abort(); /* the device would write to ROM */
		*(i < c->n_out ? &out : &in) += c->part[i].iov_len;
	}
	if (out != c->out_bytes || in != c->in_bytes)
		abort();
}

static void serve(struct virtq *q)
{
	struct virtq_chain c;
	uint8_t bytes[700];

	for (unsigned i = 0; i < ROUNDS && virtq_take(q, &c) > 0; i++) {
		size_t got, put;

		check(&c);
		got = virtq_read(&c, i, bytes, sizeof bytes);
		if (got > sizeof bytes || (c.out_bytes > i && got == 0))
			abort();
		memset(bytes, (int)i, sizeof bytes);
		put = virtq_write(&c, i % 5, bytes, sizeof bytes);
		virtq_give(q, &c, put);
		virtq_wants_interrupt(q);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct virtq q;
	uint16_t size;

	if (n < HEAD)
		return 0;
	memset(memory, 0, sizeof memory);
	memcpy(memory, data + HEAD, n - HEAD < RAM ? n - HEAD : RAM);
	memcpy(&size, data, sizeof size);
	virtq_reset(&q, NULL, 64);
	if (data[2] & 1)
		q.size = size;
	else
		q.size = (uint16_t)(1u << size % 7);
	q.desc = TABLE + (data[3] >> 6);
	q.driver = AVAILABLE + (data[3] >> 4 & 3);
	q.device = USED + (data[3] >> 2 & 3);
	if (virtq_turn_on(&q, data[2] & 2) == 0)
		serve(&q);
	return 0;
}
