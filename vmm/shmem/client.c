/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/shmem/client.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/packet.h"
#include "base/str.h"

enum { PATIENCE_MS = 5000 };

/* The answer of that id. A vCPU that is kicked meanwhile waits on. */
static int await(struct shmem_client *c, uint32_t id, struct shmem_answer *ret, int *ret_fd)
{
	const uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	int got = packet_hear(c->fd, ret, sizeof *ret, ret_fd);

	for (uint64_t now_ms; got == 0 && (now_ms = clock_mono_ms()) < until_ms;) {
		struct pollfd p = {c->fd, POLLIN, 0};
		struct timespec limit = {.tv_sec = (time_t)((until_ms - now_ms) / 1000),
					 .tv_nsec = (long)((until_ms - now_ms) % 1000) * 1000000};

		ppoll(&p, 1, &limit, NULL);
		got = packet_hear(c->fd, ret, sizeof *ret, ret_fd);
	}
	c->is_lost = got != 1 || ret->id != id;
	if (c->is_lost && *ret_fd >= 0)
		close(*ret_fd);
	return c->is_lost ? -1 : 0;
}

int shmem_client_open(struct shmem_client *c, int fd, struct err *e)
{
	struct shmem_answer welcome = {0};
	int none = -1;

	*c = (struct shmem_client){.fd = fd};
	if (await(c, 0, &welcome, &none) == 0)
		return 0;
	return err_set(e, START,
		       "the process that keeps shared memory (qvm --shmem) has gone or does not "
		       "answer: start the VM again");
}

static enum shmem_status ask(struct shmem_client *c, struct shmem_request *q,
			     struct shmem_answer *ret, int *ret_fd)
{
	q->id = ++c->last_id;
	if (!c->is_lost && write(c->fd, q, sizeof *q) != sizeof *q)
		c->is_lost = true;
	if (c->is_lost || await(c, q->id, ret, ret_fd) < 0 || ret->status >= SHMEM_STATUSES)
		return SHMEM_FAILURE;
	return (enum shmem_status)ret->status;
}

enum shmem_status shmem_client_create(struct shmem_client *c, const char *name, uint32_t pages,
				      uint32_t *ret_pages)
{
	struct shmem_request q = {.op = SHMEM_CREATE, .pages = pages};
	struct shmem_answer a = {0};
	enum shmem_status status;
	int none = -1;

	str_copy(q.name, sizeof q.name, name);
	status = ask(c, &q, &a, &none);
	*ret_pages = a.pages;
	return status;
}

static void leave(struct shmem_client *c, uint32_t handle)
{
	struct shmem_request q = {.op = SHMEM_LEAVE, .handle = handle};
	struct shmem_answer a = {0};
	int none = -1;

	(void)ask(c, &q, &a, &none); /* where it is lost, the server is gone too */
}

enum shmem_status shmem_client_attach(struct shmem_client *c, const char *name, uint32_t pages,
				      struct shmem_share *ret)
{
	struct shmem_request q = {.op = SHMEM_ATTACH, .pages = pages};
	struct shmem_answer a = {0};
	enum shmem_status status;
	AUTO_FD int fd = -1;
	void *p;

	str_copy(q.name, sizeof q.name, name);
	status = ask(c, &q, &a, &fd);
	if (status != SHMEM_OK)
		return status;
	p = a.number < SHMEM_CLIENTS ? mmap(NULL, SHMEM_HEAD + (size_t)a.pages * SHMEM_PAGE,
					    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
				     : MAP_FAILED;
	if (p == MAP_FAILED) {
		leave(c, a.handle);
		return SHMEM_NO_MEMORY;
	}
	*ret = (struct shmem_share){p, a.pages, a.handle, a.number};
	return SHMEM_OK;
}

void shmem_share_unmap(struct shmem_share *s)
{
	if (s->head)
		munmap(s->head, SHMEM_HEAD + (size_t)s->pages * SHMEM_PAGE);
	*s = (struct shmem_share){0};
}

void shmem_client_detach(struct shmem_client *c, struct shmem_share *s)
{
	uint32_t handle = s->handle;

	shmem_share_unmap(s);
	leave(c, handle);
}
