/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that a worker asks for: to PREFIX_PORT in one folder, and nowhere else. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/dialer.h"
#include "tests/unit/test.h"

struct scene {
	char folder[64], path[96];
	int dir, listener, link[2];
};

static void set_up(struct scene *s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct err e;

	strcpy(s->folder, "/tmp/qvm-dialer-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/v_7", s->folder);
	strcpy(at.sun_path, s->path);
	s->dir = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(dialer_pair(s->link, &e), 0);
}

static void tear_down(struct scene *s)
{
	unlink(s->path);
	assert_int_equal(rmdir(s->folder), 0);
	close(s->dir);
	close(s->listener);
	close(s->link[0]);
	close(s->link[1]);
}

/* The connection, or -1. */
static int ask(struct scene *s, uint32_t port)
{
	struct dialer_request r = {.id = port + 1, .port = port};
	struct dialer_answer a;
	int fd;

	assert_int_equal(dialer_ask(s->link[1], &r), 0);
	assert_int_equal(dialer_serve(s->link[0], s->dir, "v"), 1);
	assert_int_equal(dialer_hear(s->link[1], &a, &fd), 1);
	assert_int_equal(a.id, port + 1);
	assert_int_equal(a.is_there, fd >= 0);
	return fd;
}

TEST(dialer_connects_to_the_socket_of_the_port)
{
	struct scene s;
	char byte = 0;
	int fd, other;

	set_up(&s);
	fd = ask(&s, 7);
	assert_true(fd >= 0);
	other = accept(s.listener, NULL, NULL);
	assert_int_equal(write(other, "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(fd);
	close(other);
	assert_int_equal(ask(&s, 8), -1);
	tear_down(&s);
}

TEST(dialer_follows_no_link_and_opens_no_file)
{
	struct scene s;
	char path[112];

	set_up(&s);
	snprintf(path, sizeof path, "%s/v_9", s.folder);
	assert_int_equal(symlink("v_7", path), 0);
	assert_int_equal(ask(&s, 9), -1);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(ask(&s, 9), -1);
	unlink(path);
	tear_down(&s);
}

TEST(dialer_ends_with_its_worker_and_with_one_that_sends_nonsense)
{
	struct scene s;

	set_up(&s);
	assert_int_equal(dialer_serve(s.link[0], s.dir, "v"), 0);
	assert_int_equal(write(s.link[1], "too long for one", 16), 16);
	assert_int_equal(dialer_serve(s.link[0], s.dir, "v"), -1);
	shutdown(s.link[1], SHUT_RDWR);
	assert_int_equal(dialer_serve(s.link[0], s.dir, "v"), -1);
	tear_down(&s);
}

TEST(dialer_does_not_wait_for_a_full_backlog_or_a_worker_that_takes_no_answers)
{
	struct scene s;
	struct dialer_request r = {.id = 1, .port = 7};
	int got = 1;

	set_up(&s);
	for (unsigned i = 0; i < 100000 && got == 1; i++) {
		assert_int_equal(dialer_ask(s.link[1], &r), 0);
		got = dialer_serve(s.link[0], s.dir, "v");
	}
	assert_int_equal(got, -1);
	tear_down(&s);
}
