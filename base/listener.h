/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - a unix socket that a guest's line is offered on. Supervisor, lone worker.
 */
#pragma once

#include "base/err.h"

/*
 * Listen at `name` in the folder, non-blocking, for the owner and the group of the file. A socket that
 * nobody serves any more is replaced; anything else that is there is not. `path` is what messages call
 * it. The caller owns *ret_fd; the file stays when it is closed.
 */
int listener_open(int folder_fd, const char *name, const char *path, int *ret_fd, struct err *e);
