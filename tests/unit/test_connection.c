/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes and the credit of one connection of virtio-vsock. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "vmm/virtio/connection.h"

static int open_pair(struct connection *c)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	*c = (struct connection){.state = CONNECTION_OPEN, .fd = fd[0]};
	return fd[1];
}

TEST(connection_credit_is_what_the_guest_has_room_for_and_never_more)
{
	struct connection c = {.guest_room = 100, .fd = -1};

	assert_int_equal(connection_credit(&c), 100);
	c.sent = 100;
	assert_int_equal(connection_credit(&c), 0);
	c.guest_taken = 30;
	assert_int_equal(connection_credit(&c), 30);
	c.sent = 10; /* the counters wrap around */
	c.guest_taken = UINT32_MAX - 9;
	assert_int_equal(connection_credit(&c), 80);
	c.guest_taken = 11; /* more than was sent: nonsense */
	assert_int_equal(connection_credit(&c), 0);
	c.guest_room = 5; /* less than is on the way */
	c.guest_taken = 0;
	assert_int_equal(connection_credit(&c), 0);
}

TEST(connection_holds_what_the_host_does_not_take_and_passes_it_on_in_order)
{
	static uint8_t out[CONNECTION_ROOM], in[CONNECTION_ROOM];
	struct connection c;
	int host = open_pair(&c), small = 4096;
	uint32_t sent = 0, seen = 0;

	setsockopt(c.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	for (unsigned round = 0; round < 40; round++) {
		size_t n = CONNECTION_ROOM - (c.got - c.passed);
		ssize_t got;

		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)((sent + i) % 251);
		assert_int_equal(connection_take(&c, out, n), 0);
		sent += (uint32_t)n;
		assert_int_equal(c.got, sent);
		assert_int_equal(c.n_held, c.got - c.passed);
		while ((got = read(host, in, 5000)) > 0) {
			for (ssize_t i = 0; i < got; i++)
				assert_int_equal(in[i], (seen + (uint32_t)i) % 251);
			seen += (uint32_t)got;
			assert_int_equal(connection_flush(&c), 0);
		}
	}
	assert_int_equal(seen, sent);
	c.guest_is_done = true;
	assert_true(connection_is_drained(&c));
	connection_clear(&c);
	close(host);
}

TEST(connection_tells_when_its_host_is_gone)
{
	struct connection c;
	int host = open_pair(&c);

	signal(SIGPIPE, SIG_IGN);
	close(host);
	assert_int_equal(connection_take(&c, (const uint8_t *)"x", 1), -1);
	connection_clear(&c);
	assert_int_equal(c.state, CONNECTION_FREE);
	assert_int_equal(c.fd, -1);
}
