/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - who owns a file that is passed through to a guest. Supervisor, lone worker.
 *
 * An open file description lock on the very description that the worker gets, as with disks: it ends
 * with the worker, however that ends.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* For one VM that writes, or for readers. ERR_RESOURCE when somebody else has it. */
int pass_claim(int fd, const char *path, bool is_writer, struct err *e);
/* pass_claim() would succeed now; nothing is claimed. 0, or -1 with the error that it would have. */
int pass_is_free(int fd, const char *path, bool is_writer, struct err *e);
