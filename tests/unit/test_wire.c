/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "tests/unit/test.h"

struct pair {
	int a, b;
};

static struct pair pair(void)
{
	int fd[2];
	struct err e;

	assert_int_equal(wire_pair(fd, &e), 0);
	return (struct pair){fd[0], fd[1]};
}

static void drop(struct pair p)
{
	close(p.a);
	close(p.b);
}

TEST(wire_carries_a_body_and_an_fd)
{
	struct pair p = pair();
	struct msg_grant g = {.index = 3, .kind = WANT_IMAGE}, got;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct wire_msg m;
	struct err e;

	assert_int_equal(wire_send(p.a, &message_table, MESSAGE_GRANT, 42, &g, &fd, 1, &e), 0);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_TO_WORKER, &m, &e), 1);
	assert_int_equal(m.hdr.type, MESSAGE_GRANT);
	assert_int_equal(m.hdr.request, 42);
	memcpy(&got, m.body, sizeof got);
	assert_int_equal(got.index, 3);
	assert_int_equal(m.n_fds, 1);
	assert_true(fcntl(m.fd[0], F_GETFD) & FD_CLOEXEC);
	wire_close_fds(&m);
	close(fd);
	drop(p);
}

TEST(wire_says_nothing_is_there_and_end_of_file)
{
	struct pair p = pair();
	struct wire_msg m;
	struct err e;

	assert_int_equal(wire_recv(p.b, &message_table, WIRE_TO_WORKER, &m, &e), 0);
	close(p.a);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_TO_WORKER, &m, &e), -1);
	assert_int_equal(e.code, ERR_WORKER);
	close(p.b);
}

TEST(wire_refuses_a_message_in_the_wrong_direction)
{
	struct pair p = pair();
	struct msg_empty nothing = {0};
	struct wire_msg m;
	struct err e;

	assert_int_equal(wire_send(p.a, &message_table, MESSAGE_START, 0, &nothing, NULL, 0, &e),
			 0);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
	assert_int_equal(e.code, ERR_PROTOCOL);
	drop(p);
}

TEST(wire_refuses_short_long_and_foreign_messages)
{
	struct pair p = pair();
	struct {
		struct wire_hdr h;
		char body[2 * WIRE_BODY];
	} raw = {.h = {WIRE_VERSION, MESSAGE_READY, sizeof(struct msg_ready), 0}};
	const size_t good = sizeof raw.h + sizeof(struct msg_ready);
	const size_t bad[] = {1, sizeof raw.h - 1, sizeof raw.h, good - 1, good + 1, sizeof raw};
	struct wire_msg m;
	struct err e;

	for (size_t i = 0; i < NELEMS(bad); i++) {
		assert_int_equal(send(p.a, &raw, bad[i], 0), bad[i]);
		assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
		assert_int_equal(e.code, ERR_PROTOCOL);
	}
	raw.h.version = 2;
	assert_int_equal(send(p.a, &raw, good, 0), good);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
	raw.h.version = WIRE_VERSION;
	raw.h.type = MESSAGE_COUNT;
	assert_int_equal(send(p.a, &raw, good, 0), good);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
	drop(p);
}

TEST(wire_does_not_wait_for_a_peer_that_does_not_read)
{
	struct pair p = pair();
	struct msg_input in = {0};
	struct err e;
	int rc = 0;

	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = wire_send(p.a, &message_table, MESSAGE_INPUT, 0, &in, NULL, 0, &e);
	assert_int_equal(rc, -1);
	assert_int_equal(e.code, ERR_PROTOCOL);
	drop(p);
}

TEST(wire_closes_the_fds_of_a_refused_message)
{
	struct pair p = pair();
	struct msg_grant g = {0};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), next;
	struct wire_msg m;
	struct err e;

	assert_int_equal(wire_send(p.a, &message_table, MESSAGE_GRANT, 0, &g, &fd, 1, &e), 0);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
	next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(next, fd + 1); /* the received copy is closed again */
	close(next);
	close(fd);
	drop(p);
}

TEST(wire_closes_the_fds_of_an_empty_datagram)
{
	struct pair p = pair();
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), next;
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof fd)];
	} c = {.hdr = {.cmsg_len = CMSG_LEN(sizeof fd),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS}};
	struct msghdr empty = {.msg_control = &c, .msg_controllen = sizeof c};
	struct wire_msg m;
	struct err e;

	memcpy(CMSG_DATA(&c.hdr), &fd, sizeof fd);
	assert_int_equal(sendmsg(p.a, &empty, MSG_NOSIGNAL), 0);
	assert_int_equal(wire_recv(p.b, &message_table, WIRE_FROM_WORKER, &m, &e), -1);
	next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(next, fd + 1);
	close(next);
	close(fd);
	drop(p);
}
