/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a shell command that reads what a guest prints. Supervisor, lone worker before its sandbox
 * closes: processes of one thread.
 *
 * A warden of its own holds each: a process that is nobody's child, is the parent of whatever the command
 * leaves behind, and waits for the end of the VM's worker. So commands need neither the supervisor nor a
 * cgroup to end with their VM.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Who it runs as; uid 0 changes nothing. */
struct command_user {
	uid_t uid;
	gid_t gid;
};

/* From the end of the worker to SIGKILL: time to read and write what is left. */
enum { COMMAND_GRACE_MS = 3000 };

/*
 * `/bin/sh -c text` with a pipe as standard input, whose other end, non-blocking, is *ret_fd (the caller
 * owns it); its end shows as EPIPE. life_fd is the pidfd of the process that it is for, the caller's: once
 * that has gone, the command and all of its descendants have COMMAND_GRACE_MS. Its standard output and
 * error are the caller's; the session is its own.
 */
int command_start(const char *text, const struct command_user *user, int life_fd, int *ret_fd,
		  struct err *e);
