/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of a vdev `shmem`, as the original's public header guest_shm.h lays them out. */
#include <string.h>

#include "base/blackbox.h"
#include "vmm/machine/machine.h"
#include "vmm/shmem/device.h"
#include "vmm/vdev/vdev.h"

/* The factory page: what a guest asks for regions by. */
enum {
	FACTORY_SIGNATURE = 0,
	FACTORY_SHMEM = 8,
	FACTORY_VECTOR = 16,
	FACTORY_STATUS = 20,
	FACTORY_SIZE = 24, /* in pages; a write attaches */
	FACTORY_NAME = 28,
	FACTORY_FIND = 60, /* a write looks at a connection that is there */
	FACTORY_BYTES = 64
};
/* The control page of a region. */
enum { CONTROL_STATUS = 0, CONTROL_NUMBER = 4, CONTROL_NOTIFY = 8, CONTROL_DETACH = 12 };
enum { CONTROL_BYTES = 16, MASK = (1 << SHMEM_CLIENTS) - 1 };
#define SIGNATURE UINT64_C(0x4d534732474d5651)

static void put(uint8_t *image, unsigned offset, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		image[offset + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t take(const uint8_t *image, uint64_t bytes, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width && offset + i < bytes; i++)
		value |= (uint64_t)image[offset + i] << 8 * i;
	return value;
}

/* --- the factory --- */

uint64_t shmem_read_factory(struct vdev *d, uint64_t offset, unsigned width)
{
	const struct shmem *s = d->state;
	uint8_t image[FACTORY_BYTES];

	put(image, FACTORY_SIGNATURE, SIGNATURE, 8);
	put(image, FACTORY_SHMEM, s->found ? shmem_window_base(d) + s->found->at : 0, 8);
	put(image, FACTORY_VECTOR, shmem_vector(d), 4);
	put(image, FACTORY_STATUS, s->status, 4);
	put(image, FACTORY_SIZE, s->size, 4);
	memcpy(image + FACTORY_NAME, s->name, SHMEM_NAME);
	put(image, FACTORY_FIND, s->find, 4);
	return take(image, sizeof image, offset, width);
}

static void attach(struct vdev *d, uint32_t pages)
{
	struct shmem *s = d->state;

	s->size = pages;
	s->found = NULL;
	s->status = shmem_is_name(s->name) ? window_attach(d, &s->found) : SHMEM_BAD_NAME;
	if (s->status == SHMEM_OK)
		s->size = s->found->share.pages;
	else
		machine_counters(d->machine, d)->errors++;
}

/* Of those that this guest has; what others have is not its to know. */
static void find(struct shmem *s, uint32_t n)
{
	s->find = n;
	s->found = n < SHMEM_CONNECTIONS && s->connection[n].share.head ? &s->connection[n] : NULL;
	s->status = s->found ? SHMEM_OK : SHMEM_NOT_THERE;
	if (!s->found)
		return;
	s->size = s->found->share.pages;
	memcpy(s->name, s->found->name, sizeof s->name);
}

/* A name comes in any widths, as strcpy() writes; the registers as what they are. */
void shmem_write_factory(struct vdev *d, uint64_t offset, unsigned width, uint64_t value)
{
	struct shmem *s = d->state;

	if (offset == FACTORY_SIZE && width == 4)
		attach(d, (uint32_t)value);
	else if (offset == FACTORY_FIND && width == 4)
		find(s, (uint32_t)value);
	else
		for (unsigned i = 0; i < width; i++)
			if (offset + i >= FACTORY_NAME && offset + i < FACTORY_FIND)
				s->name[offset + i - FACTORY_NAME] = (char)(value >> 8 * i);
}

/* --- a region's control page --- */

/* Who has notified since the last time, and who is there. The interrupt is served by that. */
static uint32_t read_status(struct vdev *d, struct shmem_connection *c)
{
	struct shmem *s = d->state;
	struct shmem_head *h = c->share.head;
	uint32_t news = atomic_exchange(&h->client[c->share.number].news, 0);

	if (c->is_told) {
		c->is_told = false;
		shmem_drive(d);
		bell_look_again(&s->bell);
	}
	return (news & MASK) | atomic_load(&h->clients) << SHMEM_CLIENTS;
}

static uint64_t read_control(struct vdev *d, struct shmem_connection *c, uint64_t offset,
			     unsigned width)
{
	uint8_t image[CONTROL_BYTES] = {0};

	if (offset < CONTROL_NUMBER)
		put(image, CONTROL_STATUS, read_status(d, c), 4);
	put(image, CONTROL_NUMBER, c->share.number, 4);
	return take(image, sizeof image, offset, width);
}

/* All ones are all others. */
static void notify(struct shmem_connection *c, uint32_t clients)
{
	struct shmem_head *h = c->share.head;
	uint32_t own = UINT32_C(1) << c->share.number;

	if (clients == UINT32_MAX)
		clients = ~own;
	shmem_tell(h, clients & atomic_load(&h->clients) & MASK, own);
}

static void write_control(struct vdev *d, struct shmem_connection *c, uint64_t offset,
			  uint32_t value)
{
	struct shmem *s = d->state;

	if (offset == CONTROL_NOTIFY)
		notify(c, value);
	if (offset != CONTROL_DETACH)
		return;
	if (s->found == c)
		s->found = NULL;
	window_detach(d, c);
}

/* --- the window --- */

/* Where there is no region nobody answers, as on a bus. */
uint64_t shmem_read_window(struct vdev *d, uint64_t offset, unsigned width)
{
	struct shmem_connection *c = window_find(d->state, offset);
	uint64_t at = c ? offset - c->at : 0, value = 0;

	if (!c || width > window_span(c) - at)
		return UINT64_MAX >> (64 - 8 * width);
	if (at < SHMEM_PAGE)
		return read_control(d, c, at, width);
	memcpy(&value, shmem_share_data(&c->share) + (at - SHMEM_PAGE), width);
	return value;
}

void shmem_write_window(struct vdev *d, uint64_t offset, unsigned width, uint64_t value)
{
	struct shmem_connection *c = window_find(d->state, offset);
	uint64_t at = c ? offset - c->at : 0;

	if (!c || width > window_span(c) - at)
		return;
	if (at >= SHMEM_PAGE)
		memcpy(shmem_share_data(&c->share) + (at - SHMEM_PAGE), &value, width);
	else if (width == 4)
		write_control(d, c, at, (uint32_t)value);
}
