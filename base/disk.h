/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk.h - the lock that keeps a second writer off a guest's disk. Supervisor, lone worker.
 *
 * An open file description lock, on the very description that the worker gets: it holds as long as
 * anybody who serves the disk lives, and ends with the last of them, however that ends.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Of the whole file: for one writer alone, or for readers. ERR_RESOURCE when somebody else has it. */
int disk_lock(int fd, const char *path, bool is_writer, struct err *e);
/* disk_lock() would succeed now; nothing is locked. 0, or -1 with the error that it would have. */
int disk_is_free(int fd, const char *path, bool is_writer, struct err *e);
