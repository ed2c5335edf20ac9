/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/shmem/registry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sealed.h"
#include "base/str.h"

struct region {
	struct region *next;
	char name[SHMEM_NAME];
	uint32_t pages;
	int fd;
	struct shmem_head *head;
	uint32_t clients; /* bit n: somebody has number n */
	unsigned n_holds;
};

static uint64_t file_bytes(uint32_t pages)
{
	return SHMEM_HEAD + (uint64_t)pages * SHMEM_PAGE;
}

/* --- regions --- */

static struct region *find(const struct registry *r, const char *name)
{
	for (struct region *g = r->first; g; g = g->next)
		if (!strcmp(g->name, name))
			return g;
	return NULL;
}

/* The pages are there before anybody has it: no access can fail for want of one. */
static int make_file(uint32_t pages, int *ret_fd, struct shmem_head **ret_head)
{
	AUTO_FD int fd = sealed_memory("qvm-shmem", file_bytes(pages));
	void *head;

	if (fd < 0 || fallocate(fd, 0, 0, (off_t)file_bytes(pages)) < 0)
		return -1;
	head = mmap(NULL, SHMEM_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED)
		return -1;
	*ret_fd = TAKE_FD(fd);
	*ret_head = head;
	return 0;
}

static enum shmem_status make(struct registry *r, const struct shmem_request *q,
			      struct region **ret)
{
	uint64_t bytes = file_bytes(q->pages);
	struct region *g;

	if (q->pages == 0)
		return SHMEM_FAILURE;
	if (r->n_regions == REGISTRY_REGIONS || r->used_bytes > r->budget_bytes ||
	    bytes > r->budget_bytes - r->used_bytes)
		return SHMEM_NO_MEMORY;
	g = calloc(1, sizeof *g);
	if (!g)
		abort();
	if (make_file(q->pages, &g->fd, &g->head) < 0) {
		free(g);
		return SHMEM_NO_MEMORY;
	}
	str_copy(g->name, sizeof g->name, q->name);
	g->pages = q->pages;
	g->next = r->first;
	r->first = g;
	r->n_regions++;
	r->used_bytes += bytes;
	*ret = g;
	return SHMEM_OK;
}

/* A hole in place of the pages: the host has them even if somebody still maps the file. */
static void end(struct registry *r, struct region *g)
{
	struct region **at = &r->first;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	r->n_regions--;
	r->used_bytes -= file_bytes(g->pages);
	fallocate(g->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  (off_t)file_bytes(g->pages));
	munmap(g->head, SHMEM_HEAD);
	close(g->fd);
	free(g);
}

/* --- clients --- */

/* The head's copy is for the clients, who may have written anything there. */
static void set_clients(struct region *g, uint32_t clients)
{
	uint32_t others = clients & g->clients;

	g->clients = clients;
	atomic_store(&g->head->clients, clients);
	shmem_tell(g->head, others, SHMEM_CHANGED);
}

static int free_number(const struct region *g)
{
	for (int i = 0; i < SHMEM_CLIENTS; i++)
		if (!(g->clients >> i & 1))
			return i;
	return -1;
}

static int free_hold(const struct registry_link *l)
{
	for (int i = 0; i < REGISTRY_HOLDS; i++)
		if (!l->hold[i].region)
			return i;
	return -1;
}

static void leave(struct registry *r, struct registry_link *l, unsigned handle)
{
	struct region *g = l->hold[handle].region;
	int number = l->hold[handle].number;

	l->hold[handle].region = NULL;
	l->pages -= g->pages;
	if (number >= 0)
		set_clients(g, g->clients & ~(UINT32_C(1) << number));
	if (--g->n_holds == 0)
		end(r, g);
}

/* --- requests --- */

static enum shmem_status join(struct registry *r, struct registry_link *l,
			      const struct shmem_request *q, struct shmem_answer *a, int *ret_fd)
{
	int handle = free_hold(l), number = -1;
	enum shmem_status status;
	struct region *g;

	if (!shmem_is_name(q->name))
		return SHMEM_BAD_NAME;
	if (!shmem_may(l->rules, q->name))
		return SHMEM_DENIED;
	g = find(r, q->name);
	/* Before it is made: the host takes no memory for what is refused. */
	if (handle < 0 || l->pages + (g ? g->pages : q->pages) > REGISTRY_PAGES)
		return SHMEM_NO_MEMORY;
	if (g && q->op == SHMEM_ATTACH && free_number(g) < 0)
		return SHMEM_FULL;
	status = g ? SHMEM_OK : make(r, q, &g);
	if (status != SHMEM_OK)
		return status;
	if (q->op == SHMEM_ATTACH) {
		number = free_number(g);
		atomic_store(&g->head->client[number].news, 0);
		set_clients(g, g->clients | UINT32_C(1) << number);
		*ret_fd = g->fd;
	}
	l->hold[handle].region = g;
	l->hold[handle].number = number;
	l->pages += g->pages;
	g->n_holds++;
	a->handle = (uint32_t)handle;
	a->number = (uint32_t)number;
	a->pages = g->pages;
	return SHMEM_OK;
}

void registry_serve(struct registry *r, struct registry_link *l, const struct shmem_request *q,
		    struct shmem_answer *ret, int *ret_fd)
{
	*ret = (struct shmem_answer){.id = q->id, .status = SHMEM_FAILURE};
	*ret_fd = -1;
	if (q->op == SHMEM_ATTACH || q->op == SHMEM_CREATE) {
		ret->status = join(r, l, q, ret, ret_fd);
	} else if (q->op == SHMEM_LEAVE && q->handle < REGISTRY_HOLDS &&
		   l->hold[q->handle].region) {
		leave(r, l, q->handle);
		ret->status = SHMEM_OK;
	}
}

void registry_drop(struct registry *r, struct registry_link *l)
{
	for (unsigned i = 0; i < REGISTRY_HOLDS; i++)
		if (l->hold[i].region)
			leave(r, l, i);
}
