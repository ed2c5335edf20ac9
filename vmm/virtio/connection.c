/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

uint32_t connection_credit(const struct connection *c)
{
	uint32_t on_the_way = c->sent - c->guest_taken;

	return on_the_way < c->guest_room ? c->guest_room - on_the_way : 0;
}

/* How many of n bytes the host takes now; -1 when it does not any more. */
static ssize_t pass(struct connection *c, const uint8_t *bytes, size_t n)
{
	ssize_t done = n ? write(c->fd, bytes, n) : 0;

	if (done < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	c->passed += (uint32_t)done;
	return done;
}

static void hold(struct connection *c, const uint8_t *bytes, size_t n)
{
	if (!c->held)
		c->held = malloc(CONNECTION_ROOM);
	if (!c->held)
		abort();
	for (size_t done = 0; done < n;) {
		uint32_t at = (c->held_at + c->n_held) % CONNECTION_ROOM;
		size_t step = CONNECTION_ROOM - at < n - done ? CONNECTION_ROOM - at : n - done;

		memcpy(c->held + at, bytes + done, step);
		c->n_held += (uint32_t)step;
		done += step;
	}
}

int connection_take(struct connection *c, const uint8_t *bytes, size_t n)
{
	ssize_t done = c->n_held ? 0 : pass(c, bytes, n);

	if (done < 0)
		return -1;
	c->got += (uint32_t)n;
	hold(c, bytes + done, n - (size_t)done);
	return 0;
}

int connection_flush(struct connection *c)
{
	while (c->n_held) {
		uint32_t step = CONNECTION_ROOM - c->held_at;
		ssize_t done = pass(c, c->held + c->held_at, step < c->n_held ? step : c->n_held);

		if (done <= 0)
			return (int)done;
		c->held_at = (c->held_at + (uint32_t)done) % CONNECTION_ROOM;
		c->n_held -= (uint32_t)done;
	}
	return 0;
}

bool connection_owes_credit(const struct connection *c)
{
	return c->passed - c->told >= CONNECTION_ROOM / 2;
}

bool connection_is_drained(const struct connection *c)
{
	return c->guest_is_done && c->n_held == 0;
}

void connection_clear(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->held);
	*c = (struct connection){.fd = -1};
}
