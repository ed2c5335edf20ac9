/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keeper/shelf.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "daemon/keeper/visit.h"
#include "tests/unit/test.h"

static struct msg_keep key(const char *owner, enum keep_kind kind, uint64_t generation)
{
	struct msg_keep m = {.kind = kind, .generation = generation};

	str_copy(m.owner, sizeof m.owner, owner);
	return m;
}

static int null(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void put(struct shelf *s, struct msg_keep m)
{
	shelf_put(s, &m, null());
}

TEST(shelf_keeps_one_of_each_key)
{
	struct shelf s = {0};
	struct msg_keep m = key("a", KEEP_BOX, 1);

	put(&s, m);
	m.note[0] = 7;
	put(&s, m);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.item[0].m.note[0], 7);
	put(&s, key("a", KEEP_BOX, 2));
	put(&s, key("b", KEEP_BOX, 1));
	put(&s, key("a", KEEP_RAM, 1));
	assert_int_equal(s.n, 4);
	shelf_clear(&s);
}

TEST(shelf_drops_all_of_one_worker_and_nothing_else)
{
	struct shelf s = {0};
	struct msg_drop all = {.owner = "a", .generation = 1},
			one = {.owner = "b", .kind = KEEP_RAM};

	put(&s, key("a", KEEP_BOX, 1));
	put(&s, key("a", KEEP_RAM, 1));
	put(&s, key("a", KEEP_BOX, 2));
	put(&s, key("b", KEEP_BOX, 0));
	put(&s, key("b", KEEP_RAM, 0));
	shelf_drop(&s, &all);
	assert_int_equal(s.n, 3);
	shelf_drop(&s, &one);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.item[0].m.generation, 2);
	assert_int_equal(s.item[1].m.kind, KEEP_BOX);
	shelf_clear(&s);
}

TEST(shelf_shuts_a_link_whose_time_alone_is_over_and_no_other)
{
	struct shelf s = {0};
	struct msg_keep bound = key("a", KEEP_LINK, 1);
	int pair[2], other[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, other), 0);
	bound.orphan_ms = 100;
	shelf_put(&s, &bound, pair[0]);
	struct msg_keep free_ = key("b", KEEP_LINK, 1);
	shelf_put(&s, &free_, other[0]);
	assert_int_equal(shelf_shut_due(&s, 1000), 0); /* a supervisor is there */
	shelf_orphan(&s, 1000);
	assert_int_equal(shelf_shut_due(&s, 1099), 1100);
	assert_int_equal(read(pair[1], &c, 1), -1);
	assert_int_equal(shelf_shut_due(&s, 1100), 0);
	assert_int_equal(read(pair[1], &c, 1), 0);
	assert_int_equal(read(other[1], &c, 1), -1);
	assert_int_equal(s.n, 2); /* its end is still to be explained */
	close(pair[1]);
	close(other[1]);
	shelf_clear(&s);
}

TEST(shelf_forgets_the_time_when_a_supervisor_comes)
{
	struct shelf s = {0};
	struct msg_keep bound = key("a", KEEP_LINK, 1);

	bound.orphan_ms = 100;
	put(&s, bound);
	shelf_orphan(&s, 1000);
	shelf_adopt(&s);
	assert_int_equal(shelf_shut_due(&s, 5000), 0);
	shelf_clear(&s);
}

/* More than the link takes at once: it goes on when there is room, and closes nothing meanwhile. */
TEST(visit_waits_for_room_and_shows_all)
{
	struct shelf s = {0};
	struct visit v;
	struct wire_msg got;
	unsigned n = 0;
	int link[2];
	struct err e;

	assert_int_equal(wire_pair(link, &e), 0);
	v = (struct visit){.link = link[0]};
	for (uint64_t i = 0; i < 500; i++)
		put(&s, key("a", KEEP_PEER, i));
	assert_int_equal(wire_send(link[1], &keeping_table, KEEPING_RECALL, 0,
				   &(struct msg_kept_count){0}, NULL, 0, &e),
			 0);
	assert_int_equal(visit_serve(&v, &s, &e), 0);
	assert_int_equal(visit_wants(&v), POLLOUT);
	for (;;) {
		if (wire_recv(link[1], &keeping_table, WIRE_FROM_KEEPER, &got, &e) != 1)
			assert_int_equal(visit_serve(&v, &s, &e), 0);
		else if (got.hdr.type == KEEPING_RECALLED)
			break;
		else
			n++;
		wire_close_fds(&got);
	}
	assert_int_equal(n, 500);
	assert_int_equal(s.n, 500);
	assert_int_equal(visit_wants(&v), POLLIN);
	close(link[0]);
	close(link[1]);
	shelf_clear(&s);
}

TEST(visit_shows_all_in_order_and_leaves_it_on_the_shelf)
{
	struct shelf s = {0};
	struct visit v;
	struct msg_keep m = key("a", KEEP_BOX, 1);
	struct wire_msg got;
	int link[2], fd = null();
	struct err e;

	assert_int_equal(wire_pair(link, &e), 0);
	v = (struct visit){.link = link[0]};
	assert_int_equal(wire_send(link[1], &keeping_table, KEEPING_KEEP, 0, &m, &fd, 1, &e), 0);
	assert_int_equal(wire_send(link[1], &keeping_table, KEEPING_RECALL, 0,
				   &(struct msg_kept_count){0}, NULL, 0, &e),
			 0);
	assert_int_equal(visit_serve(&v, &s, &e), 0);
	assert_int_equal(wire_recv(link[1], &keeping_table, WIRE_FROM_KEEPER, &got, &e), 1);
	assert_int_equal(got.hdr.type, KEEPING_KEPT);
	assert_memory_equal(got.body, &m, sizeof m);
	wire_close_fds(&got);
	assert_int_equal(wire_recv(link[1], &keeping_table, WIRE_FROM_KEEPER, &got, &e), 1);
	assert_int_equal(got.hdr.type, KEEPING_RECALLED);
	assert_int_equal(s.n, 1);
	close(link[1]);
	assert_int_equal(visit_serve(&v, &s, &e), -1);
	close(link[0]);
	close(fd);
	shelf_clear(&s);
}
