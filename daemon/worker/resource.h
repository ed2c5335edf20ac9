/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource.h - opens what a worker wants of the host: /dev/kvm, guest RAM, black box, files.
 * Supervisor and its openers; the worker sees descriptors, never a path.
 *
 * Paths come from a configuration by way of the worker, so they are hostile twice: they are made
 * canonical, held against the allowed folders, and opened below the folder without following any
 * link (openat2), so that a swap in between is refused rather than followed. Kinds of file are
 * checked on an O_PATH descriptor, before anything is truly opened.
 */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "schemas/message.h"

struct config;
struct dial_set;
struct peer_set;
struct shmem;

struct resource {
	const struct config *config;
	const char *vm;
	const struct msg_want *want;
	const struct msg_plan *plan;
	int container_fd;	/* of the want right before, if it was a VFIO container; else -1 */
	int iomem_fd;		/* /proc/iomem, in the opener of a plan that wants MEM; else -1 */
	struct peer_set *peers; /* the supervisor's; NULL in an opener */
	struct dial_set *dials; /* likewise */
	struct shmem *shmem;	/* likewise */
	bool is_late;		/* locked later, by late.h */
	int worker_fd;		/* pidfd of the worker; -1 in an opener */
};

/* How a kind of schemas/wants.def is judged and opened. What may wait is done in an opener, by probe
 * and open; what must be the supervisor's own, by make, which does not wait. */
struct resource_kind {
	int (*probe)(const struct resource *r, struct err *e); /* NULL = nothing to judge */
	int (*open)(const struct resource *r, int *ret_fd, struct err *e); /* NULL = nothing */
	/* *fd: what was opened, or -1; it becomes what the worker gets. NULL = the same. */
	int (*make)(const struct resource *r, int *fd, struct err *e);
};

#define WANT(id, lower, name, warm, what) extern const struct resource_kind lower##_kind;
#include "schemas/wants.def"
#undef WANT

enum { RESOURCE_PATH = 4096 };

/* For the openers of kinds. *ret_path: an O_PATH descriptor of what is there, or -1 when an output
 * file is still to be made; real: its canonical name, in an allowed folder. */
int resource_find(const struct resource *r, char real[static RESOURCE_PATH], int *ret_path,
		  struct err *e);
/* Would it open? Nothing is made or truly opened. */
int resource_probe(const struct resource *r, struct err *e);
/* In an opener. The caller owns *ret_fd, which stays -1 where there is nothing to open. */
int resource_open(const struct resource *r, int *ret_fd, struct err *e);
/* In the supervisor, after it. */
int resource_make(const struct resource *r, int *fd, struct err *e);
/* The folder of a file that is to be made: below an allowed one, held open; its name in it. */
int resource_folder(const struct resource *r, char ret_name[static NAME_MAX + 1], int *ret_fd,
		    struct err *e);
/* A second, read-only description of a memfd; the caller owns *ret_fd. */
int resource_reopen(int fd, int flags, int *ret_fd, struct err *e);
