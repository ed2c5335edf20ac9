/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem.h - regions of memory that virtual machines share: what a region's file holds, who may have
 * which, and the words between a worker and the server of the regions (vmm/shmem/server.h). Worker,
 * server; the supervisor, which introduces the one to the other.
 *
 * A region is a sealed memfd: SHMEM_HEAD bytes that no guest sees, then its pages. It has up to
 * SHMEM_CLIENTS clients, peers of each other. Who they are is the server's to know; the head only says
 * what they have to tell each other, and whoever writes rubbish there harms this region alone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SHMEM_PAGE = 4096,
	SHMEM_HEAD = SHMEM_PAGE,
	SHMEM_CLIENTS = 16,
	SHMEM_NAME = 32, /* with its NUL */
	SHMEM_RULES = 1024,
	SHMEM_STARS = 4, /* `*` in a pattern: more take a matcher for ever */
};

/* The answers of the original's guest_shm.h. */
enum shmem_status {
	SHMEM_OK,
	SHMEM_FAILURE,	 /* of the host */
	SHMEM_NO_MEMORY, /* beyond a limit, or the host has none */
	SHMEM_FULL,	 /* the region has its SHMEM_CLIENTS */
	SHMEM_BAD_NAME,
	SHMEM_DENIED,
	SHMEM_NOT_THERE,
	SHMEM_STATUSES
};

/* --- what is shared --- */

/* The first page of a region's file. */
struct shmem_head {
	_Atomic uint32_t clients; /* bit n: number n is there */
	uint32_t pad[15];
	/* For number n, who waits there by a futex: bit m, client m notifies it; SHMEM_CHANGED. */
	struct {
		_Atomic uint32_t news;
		uint32_t pad[15]; /* a cache line each */
	} client[SHMEM_CLIENTS];
};

#define SHMEM_CHANGED (UINT32_C(1) << 16) /* others have come or gone */

_Static_assert(sizeof(struct shmem_head) == 64 + 64 * SHMEM_CLIENTS &&
		       sizeof(struct shmem_head) <= SHMEM_HEAD,
	       "shared between processes");

/* Give the clients of the mask that news, and wake those to whom it is new. */
void shmem_tell(struct shmem_head *h, uint32_t clients, uint32_t news);

/* --- names, and who may have them --- */

/* 1 to 31 printable bytes, no '/', and its NUL in the field of SHMEM_NAME bytes. */
bool shmem_is_name(const char *name);
/*
 * Rules are one text, "/+PATTERN/-PATTERN", in the order of the options `allow` (+) and `deny` (-) of a
 * vdev; "/" has none. Patterns are the shell's. The first that matches decides; behind the last is a
 * deny for all if there is an allow, else an allow for all.
 */
bool shmem_are_rules(const char *rules);
bool shmem_may(const char *rules, const char *name);

/* --- the words --- */

/* The first of a connection, from who makes it for a worker; then it is the worker's. */
struct shmem_hello {
	uint64_t budget_bytes; /* of all regions together, from now on */
	char rules[SHMEM_RULES];
};

enum shmem_op { SHMEM_ATTACH, SHMEM_CREATE, SHMEM_LEAVE };

/* ATTACH makes the region if it is not there; CREATE too, and keeps it without being a client of it. */
struct shmem_request {
	uint32_t id, op;
	uint32_t pages;	 /* of a region that is made */
	uint32_t handle; /* of the answer, to LEAVE */
	char name[SHMEM_NAME];
};

/* One to each request in its turn, with the file if it is an ATTACH that succeeded; and one of id 0 to
 * the hello. */
struct shmem_answer {
	uint32_t id, status; /* enum shmem_status */
	uint32_t handle;
	uint32_t number; /* of the client, in its region */
	uint32_t pages;	 /* that the region has, of the size its first comer chose */
	uint32_t unused;
};

_Static_assert(sizeof(struct shmem_hello) == 1032 && sizeof(struct shmem_request) == 48 &&
		       sizeof(struct shmem_answer) == 24,
	       "crosses process boundaries");

/* Connect to the server that listens at that path and introduce a worker, without waiting. The caller
 * owns *ret_fd. */
int shmem_connect(const char *path, const struct shmem_hello *hello, int *ret_fd, struct err *e);
/* It did not, because there is no server, or not for much longer. */
bool shmem_is_unserved(const struct err *e);
/* A socket for it to listen on, in place of one that nobody serves any more; for this user alone. */
int shmem_listen(const char *path, int *ret_fd, struct err *e);
