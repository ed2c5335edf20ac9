/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - a worker's end of its connection to the server of shared memory. Worker; part of the state
 * of a vdev, under its lock.
 *
 * Whoever asks waits for the answer, as the guest does whose register it is; a server that gives none in
 * time is not asked again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/shmem.h"

struct shmem_client {
	int fd; /* borrowed */
	uint32_t last_id;
	bool is_lost;
};

/* A region as one of its clients has it: mapped, head first. */
struct shmem_share {
	struct shmem_head *head;
	uint32_t pages, handle, number;
};

/* Returns once the server has taken it on. */
int shmem_client_open(struct shmem_client *c, int fd, struct err *e);
/* Have the server make the region if it is not there, and keep it while this VM runs. *ret_pages: what
 * it has. */
enum shmem_status shmem_client_create(struct shmem_client *c, const char *name, uint32_t pages,
				      uint32_t *ret_pages);
enum shmem_status shmem_client_attach(struct shmem_client *c, const char *name, uint32_t pages,
				      struct shmem_share *ret);
/* The mapping goes; nobody may use it any more. */
void shmem_client_detach(struct shmem_client *c, struct shmem_share *s);
void shmem_share_unmap(struct shmem_share *s);
static inline uint8_t *shmem_share_data(const struct shmem_share *s)
{
	return (uint8_t *)s->head + SHMEM_HEAD;
}
