/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pty.h - pseudo terminals as the host's ends of a guest's line. Supervisor, lone worker; the number
 * also in any worker.
 */
#pragma once

#include "base/err.h"

enum { PTY_NAME = 32 };

/* A new master, raw (what the guest prints is not echoed back to it), non-blocking, unlocked. Nobody
 * has its slave open, and poll() says so by POLLHUP. The caller owns *ret_fd. */
int pty_open(int *ret_fd, struct err *e);
/* "/dev/pts/5", as the host that opened it knows the slave; -1 if fd is no master. */
int pty_name(int fd, char ret[static PTY_NAME]);
/* Make the symbolic link `name` in the folder lead to the slave; takes the place of a link to another
 * slave, of nothing else. `path` is what messages call it. */
int pty_link(int fd, int folder_fd, const char *name, const char *path, struct err *e);
