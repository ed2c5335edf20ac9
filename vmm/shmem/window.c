/* SPDX-License-Identifier: Apache-2.0 */
/* The window of a vdev `shmem`: which region lies where in it. */
#include <stdatomic.h>

#include "base/blackbox.h"
#include "base/str.h"
#include "vmm/machine/machine.h"
#include "vmm/shmem/device.h"
#include "vmm/vdev/vdev.h"

uint64_t window_span(const struct shmem_connection *c)
{
	return (UINT64_C(1) + c->share.pages) * SHMEM_PAGE;
}

/* The first place of that many bytes that nobody has; each step is a step up. */
static bool find_room(const struct shmem *s, uint64_t bytes, uint64_t *ret)
{
	bool is_taken = true;
	uint64_t at = 0;

	while (is_taken) {
		is_taken = false;
		for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++) {
			const struct shmem_connection *c = &s->connection[i];

			if (!c->share.head || at >= c->at + window_span(c) || c->at >= at + bytes)
				continue;
			at = c->at + window_span(c);
			is_taken = true;
		}
	}
	*ret = at;
	return bytes <= s->window_bytes && at <= s->window_bytes - bytes;
}

/* The row of the board's map. */
static void tell_map(const struct vdev *d, const struct shmem_connection *c)
{
	const struct shmem *s = d->state;
	unsigned i = (unsigned)(c - s->connection);
	struct blackbox_place *row = i < d->n_rows ? &d->row[i] : NULL;

	if (!row)
		return;
	if (c->share.head) {
		row->bytes = (uint64_t)c->share.pages * SHMEM_PAGE;
		str_copy(row->name, sizeof row->name, c->name);
	}
	atomic_store(&row->base, s->window_at + c->at + SHMEM_PAGE);
	atomic_store(&row->is_on, c->share.head && s->window_at);
}

/* Where KVM refuses, for BARs that the guest lays over each other, each access exits. */
static void place(struct vdev *d, struct shmem_connection *c)
{
	const struct shmem *s = d->state;
	uint64_t at = s->window_at ? s->window_at + c->at + SHMEM_PAGE : 0;
	struct err ignored;

	(void)machine_place(d->machine, c->slot, at, at ? (uint64_t)c->share.pages * SHMEM_PAGE : 0,
			    shmem_share_data(&c->share), true, &ignored);
}

static struct shmem_connection *find_free(struct shmem *s)
{
	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++)
		if (!s->connection[i].share.head)
			return &s->connection[i];
	return NULL;
}

enum shmem_status window_attach(struct vdev *d, struct shmem_connection **ret)
{
	struct shmem *s = d->state;
	struct shmem_connection *c = find_free(s);
	struct shmem_share share;
	enum shmem_status status;
	uint64_t at;

	if (!c || s->size >= s->window_bytes / SHMEM_PAGE)
		return SHMEM_NO_MEMORY;
	status = shmem_client_attach(&s->client, s->name, s->size, &share);
	if (status != SHMEM_OK)
		return status;
	if (!find_room(s, (UINT64_C(1) + share.pages) * SHMEM_PAGE, &at)) {
		shmem_client_detach(&s->client, &share);
		return SHMEM_NO_MEMORY;
	}
	c->share = share;
	c->at = at;
	c->is_told = false;
	str_copy(c->name, sizeof c->name, s->name);
	if (s->window_at)
		place(d, c);
	tell_map(d, c);
	bell_look_again(&s->bell);
	*ret = c;
	return SHMEM_OK;
}

void window_detach(struct vdev *d, struct shmem_connection *c)
{
	struct shmem *s = d->state;
	struct err ignored;

	(void)machine_place(d->machine, c->slot, 0, 0, NULL, true, &ignored);
	shmem_client_detach(&s->client, &c->share);
	c->is_told = false;
	tell_map(d, c);
	shmem_drive(d);
	bell_look_again(&s->bell);
}

void window_move(struct vdev *d, uint64_t at)
{
	struct shmem *s = d->state;

	s->window_at = at;
	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++) {
		if (!s->connection[i].share.head)
			continue;
		place(d, &s->connection[i]);
		tell_map(d, &s->connection[i]);
	}
}

struct shmem_connection *window_find(struct shmem *s, uint64_t offset)
{
	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++) {
		struct shmem_connection *c = &s->connection[i];

		if (c->share.head && offset >= c->at && offset - c->at < window_span(c))
			return c;
	}
	return NULL;
}
