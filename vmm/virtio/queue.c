/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/queue.h"

#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <string.h>

#include "vmm/machine/machine.h"

/* 2.7.6 and 2.7.8: flags, index, ring, event index. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING = 4, RING_EVENT = 2, USED_ELEMENT = 8 };
enum { TABLE_ALIGN = 16, AVAILABLE_ALIGN = 2, USED_ALIGN = 4 };

struct element {
	uint32_t id, bytes;
};

_Static_assert(sizeof(struct vring_desc) == 16 && sizeof(struct element) == USED_ELEMENT,
	       "shared with the guest");

static int fault(struct virtq *q, const char *what)
{
	q->fault = what;
	return -1;
}

/* The guest may change them meanwhile: one load, one store, in order with the rest. */
static uint16_t load(const uint8_t *p)
{
	return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE);
}

static void store(uint8_t *p, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)p, value, __ATOMIC_RELEASE);
}

void virtq_reset(struct virtq *q, struct machine *m, uint16_t most)
{
	*q = (struct virtq){.machine = m, .most = most, .size = most};
}

int virtq_turn_on(struct virtq *q, bool has_event_index)
{
	size_t n = q->size;

	/* 2.7: a power of two; 4.1.5.1.3: at most what was offered. */
	if (n == 0 || (n & (n - 1)) || n > q->most)
		return fault(q, "a queue size that was not offered");
	if (q->desc % TABLE_ALIGN || q->driver % AVAILABLE_ALIGN || q->device % USED_ALIGN)
		return fault(q, "a ring that is not aligned");
	q->table = machine_memory(q->machine, q->desc, n * sizeof(struct vring_desc));
	q->available = machine_memory(q->machine, q->driver, RING + n * 2 + RING_EVENT);
	q->used = machine_ram(q->machine, q->device, RING + n * USED_ELEMENT + RING_EVENT);
	if (!q->table || !q->available || !q->used)
		return fault(q, "a ring outside of memory");
	q->has_event_index = has_event_index;
	q->is_on = true;
	return 0;
}

/* --- requests --- */

/* Where descriptors come from: the table, or the indirect one of a chain. */
struct source {
	const uint8_t *table;
	unsigned n;
};

static struct vring_desc descriptor(const struct source *s, unsigned i)
{
	struct vring_desc d;

	memcpy(&d, s->table + i * sizeof d, sizeof d);
	/* The copy is what is checked and used: no second look at guest memory. */
	atomic_signal_fence(memory_order_seq_cst);
	return d;
}

static int add_part(struct virtq *q, struct virtq_chain *c, const struct vring_desc *d)
{
	bool is_in = d->flags & VRING_DESC_F_WRITE;
	void *host;

	if (c->n_out + c->n_in == VIRTQ_MOST)
		return fault(q, "a chain that is too long");
	if (!is_in && c->n_in)
		return fault(q, "a readable buffer behind a writable one"); /* 2.7.4.2 */
	host = is_in ? machine_ram(q->machine, d->addr, d->len)
		     : machine_memory(q->machine, d->addr, d->len);
	if (!host)
		return fault(q, "a buffer outside of memory");
	c->part[c->n_out + c->n_in] = (struct iovec){host, d->len};
	if (is_in) {
		c->n_in++;
		c->in_bytes += d->len;
	} else {
		c->n_out++;
		c->out_bytes += d->len;
	}
	return 0;
}

/* 2.7.5.3: the whole rest of the chain, from its first descriptor on. */
static int enter_indirect(struct virtq *q, const struct vring_desc *d, struct source *s)
{
	if (d->flags & VRING_DESC_F_NEXT)
		return fault(q, "an indirect table that is not the end of its chain");
	if (d->len == 0 || d->len % sizeof *d || d->len / sizeof *d > VIRTQ_MOST)
		return fault(q, "an indirect table of an impossible length");
	s->n = (unsigned)(d->len / sizeof *d);
	s->table = machine_memory(q->machine, d->addr, d->len);
	return s->table ? 0 : fault(q, "an indirect table outside of memory");
}

static int walk(struct virtq *q, struct virtq_chain *c)
{
	struct source s = {q->table, q->size};
	bool is_indirect = false;
	unsigned i = c->head;

	/* Each round takes one descriptor of its table: a cycle ends with the table's size. */
	for (unsigned taken = 0; taken < s.n; taken++) {
		struct vring_desc d = descriptor(&s, i);

		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (is_indirect)
				return fault(q, "an indirect table within another");
			if (enter_indirect(q, &d, &s) < 0)
				return -1;
			is_indirect = true;
			i = 0;
			taken = UINT32_MAX; /* this table is counted from 0 */
			continue;
		}
		if (add_part(q, c, &d) < 0)
			return -1;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 1;
		if (d.next >= s.n)
			return fault(q, "a descriptor index beyond the table");
		i = d.next;
	}
	return fault(q, "a chain that never ends");
}

/* 2.7.7.2, 2.7.10.1: say from which index on we want a notification, then look again. */
static bool is_empty(struct virtq *q)
{
	if (load(q->available + RING_INDEX) != q->next_available)
		return false;
	if (!q->has_event_index)
		return true;
	store(q->used + RING + (size_t)q->size * USED_ELEMENT, q->next_available);
	atomic_thread_fence(memory_order_seq_cst);
	return load(q->available + RING_INDEX) == q->next_available;
}

int virtq_take(struct virtq *q, struct virtq_chain *ret)
{
	uint16_t ahead;

	if (!q->is_on || q->fault)
		return q->fault ? -1 : 0;
	if (is_empty(q))
		return 0;
	ahead = (uint16_t)(load(q->available + RING_INDEX) - q->next_available);
	if (ahead > q->size)
		return fault(q, "an available index that is too far ahead");
	ret->head = load(q->available + RING + (size_t)(q->next_available % q->size) * 2);
	ret->n_out = ret->n_in = 0;
	ret->out_bytes = ret->in_bytes = 0;
	if (ret->head >= q->size)
		return fault(q, "a descriptor index beyond the table");
	q->next_available++;
	return walk(q, ret);
}

void virtq_give(struct virtq *q, const struct virtq_chain *c, size_t written)
{
	struct element x = {.id = c->head,
			    .bytes = written > UINT32_MAX ? UINT32_MAX : (uint32_t)written};

	if (!q->is_on)
		return;
	memcpy(q->used + RING + (size_t)(q->next_used % q->size) * USED_ELEMENT, &x, sizeof x);
	store(q->used + RING_INDEX, ++q->next_used);
}

bool virtq_wants_interrupt(struct virtq *q)
{
	uint16_t from = q->signalled, event;

	if (!q->is_on || from == q->next_used)
		return false;
	atomic_thread_fence(memory_order_seq_cst);
	q->signalled = q->next_used;
	if (!q->has_event_index)
		return !(load(q->available + RING_FLAGS) & VRING_AVAIL_F_NO_INTERRUPT);
	event = load(q->available + RING + (size_t)q->size * 2);
	return vring_need_event(event, q->next_used, from);
}

/* --- bytes --- */

/* Copy between a buffer and the parts from `first` on. */
static size_t copy(const struct iovec *part, unsigned n_parts, size_t offset, uint8_t *bytes,
		   size_t n, bool to_guest)
{
	size_t done = 0;

	for (unsigned i = 0; i < n_parts && done < n; i++) {
		size_t length = part[i].iov_len, step;
		uint8_t *at = part[i].iov_base;

		if (offset >= length) {
			offset -= length;
			continue;
		}
		step = length - offset < n - done ? length - offset : n - done;
		if (to_guest)
			memcpy(at + offset, bytes + done, step);
		else
			memcpy(bytes + done, at + offset, step);
		done += step;
		offset = 0;
	}
	return done;
}

size_t virtq_read(const struct virtq_chain *c, size_t offset, void *ret, size_t n)
{
	return copy(c->part, c->n_out, offset, ret, n, false);
}

size_t virtq_write(const struct virtq_chain *c, size_t offset, const void *bytes, size_t n)
{
	/* Only read from: the cast is for the one loop of both directions. */
	return copy(c->part + c->n_out, c->n_in, offset, (uint8_t *)(uintptr_t)bytes, n, true);
}
