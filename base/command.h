/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a shell command that reads what a guest prints. Supervisor, lone worker before its sandbox
 * closes: processes of one thread.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Who it runs as; uid 0 changes nothing. */
struct command_user {
	uid_t uid;
	gid_t gid;
};

/*
 * `/bin/sh -c text` with a pipe as standard input, whose other end, non-blocking, is *ret_fd (the
 * caller owns it). It is nobody's child and outlives its writer by what is left in the pipe; its end
 * shows as EPIPE. Its standard output and error are the caller's.
 */
int command_start(const char *text, const struct command_user *user, int *ret_fd, struct err *e);
