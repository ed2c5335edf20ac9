/* SPDX-License-Identifier: Apache-2.0 */
/* The server of shared memory as a process: whom it takes on, what it hears, when it ends. */
#include "vmm/shmem/server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/shmem.h"
#include "tests/unit/test.h"
#include "vmm/shmem/client.h"

enum { NOBODY = 65534, PATIENCE_MS = 10000 };

struct scene {
	char folder[32], path[64];
	pid_t server;
	int stays; /* a connection for which it stays */
};

static const struct shmem_hello hello = {.budget_bytes = 1 << 20, .rules = "/"};

static int introduced(struct scene *s, const struct shmem_hello *h)
{
	struct err e;
	int fd = -1;

	assert_int_equal(shmem_connect(s->path, h, &fd, &e), 0);
	return fd;
}

static void open_scene(struct scene *s)
{
	struct sandbox_spec spec = {.max_fds = 64};
	struct err e;
	int listener = -1;

	if (geteuid() == 0)
		spec.uid = spec.gid = NOBODY;
	strcpy(s->folder, "/tmp/qvm-server-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/shmem.sock", s->folder);
	assert_int_equal(shmem_listen(s->path, &listener, &e), 0);
	s->stays = introduced(s, &hello);
	s->server = fork();
	if (s->server == 0) {
		close(s->stays);
		_exit(shmem_server_serve(listener, &spec));
	}
	close(listener);
}

/* It ends with the last who is connected. */
static void close_scene(struct scene *s)
{
	int status = -1;

	close(s->stays);
	assert_int_equal(waitpid(s->server, &status, 0), s->server);
	assert_int_equal(status, 0);
	unlink(s->path);
	assert_int_equal(rmdir(s->folder), 0);
}

/* The next word's status; -1 when the link is closed. */
static int hear(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	struct shmem_answer a;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return recv(fd, &a, sizeof a, 0) == sizeof a ? (int)a.status : -1;
}

TEST(shmem_server_takes_on_who_introduces_itself_and_closes_what_does_not)
{
	struct shmem_hello bad = hello;
	struct scene s;
	int fd;

	open_scene(&s);
	fd = introduced(&s, &hello);
	assert_int_equal(hear(fd), SHMEM_OK);
	/* Once: a worker cannot give itself other rules. */
	assert_int_equal(send(fd, &hello, sizeof hello, MSG_NOSIGNAL), sizeof hello);
	assert_int_equal(hear(fd), -1);
	close(fd);
	memset(bad.rules, 'x', sizeof bad.rules);
	fd = introduced(&s, &bad);
	assert_int_equal(hear(fd), -1);
	close(fd);
	close_scene(&s);
}

TEST(shmem_server_closes_a_link_that_asks_before_it_is_introduced_or_in_another_form)
{
	struct shmem_request q = {.op = SHMEM_ATTACH, .pages = 1, .name = "ring"};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct scene s;
	int fd;

	open_scene(&s);
	strcpy(at.sun_path, s.path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(send(fd, &q, sizeof q, MSG_NOSIGNAL), sizeof q);
	assert_int_equal(hear(fd), -1);
	close(fd);
	fd = introduced(&s, &hello);
	assert_int_equal(hear(fd), SHMEM_OK);
	assert_int_equal(send(fd, &q, sizeof q - 1, MSG_NOSIGNAL), sizeof q - 1);
	assert_int_equal(hear(fd), -1);
	close(fd);
	close_scene(&s);
}

TEST(shmem_server_frees_what_a_link_had_when_it_is_closed)
{
	struct shmem_client c, d;
	struct shmem_share mine, its;
	struct pollfd wait = {-1, 0, 0};
	struct scene s;
	struct err e;
	int one, two;

	open_scene(&s);
	one = introduced(&s, &hello);
	two = introduced(&s, &hello);
	assert_int_equal(shmem_client_open(&c, one, &e), 0);
	assert_int_equal(shmem_client_open(&d, two, &e), 0);
	assert_int_equal(shmem_client_attach(&c, "ring", 2, &mine), SHMEM_OK);
	assert_int_equal(shmem_client_attach(&d, "ring", 9, &its), SHMEM_OK);
	assert_int_equal(its.pages, 2);
	assert_int_equal(its.number, 1);
	shmem_share_data(&its)[2 * SHMEM_PAGE - 1] = 7;
	assert_int_equal(shmem_share_data(&mine)[2 * SHMEM_PAGE - 1], 7);
	assert_int_equal(mine.head->clients, 3);
	close(two); /* as a death does */
	for (unsigned i = 0; i < PATIENCE_MS && mine.head->clients != 1; i++)
		poll(&wait, 1, 1);
	assert_int_equal(mine.head->clients, 1);
	assert_int_equal(mine.head->client[0].news, SHMEM_CHANGED);
	shmem_share_unmap(&its);
	shmem_client_detach(&c, &mine);
	assert_false(c.is_lost);
	close(one);
	close_scene(&s);
}

TEST(shmem_server_does_not_wait_for_a_worker_that_takes_no_answers)
{
	struct shmem_request q = {.op = SHMEM_LEAVE};
	struct shmem_client c;
	struct scene s;
	struct err e;
	uint32_t pages;
	int deaf, other;

	open_scene(&s);
	deaf = introduced(&s, &hello);
	/* As many as the two queues take; it is closed for that. */
	for (unsigned i = 0; i < 100000; i++) {
		struct pollfd p = {deaf, POLLOUT, 0};

		if (send(deaf, &q, sizeof q, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    (poll(&p, 1, PATIENCE_MS) != 1 || p.revents & POLLHUP))
			break;
	}
	other = introduced(&s, &hello);
	assert_int_equal(shmem_client_open(&c, other, &e), 0);
	assert_int_equal(shmem_client_create(&c, "ring", 3, &pages), SHMEM_OK);
	assert_int_equal(pages, 3);
	close(deaf);
	close(other);
	close_scene(&s);
}
