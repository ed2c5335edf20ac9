/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail.h - what qvm-api can no longer do: base/sandbox.h with this process's own needs. qvm-api.
 *
 * As root its user namespace is made here with every id mapped to itself, so that the kernel still
 * tells callers apart (in a namespace without a map all of them are "nobody") while the process has
 * no right outside of it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct jail_spec {
	const char *state_dir; /* becomes /state, read-only */
	uid_t uid;
	gid_t gid;
	unsigned max_fds;
};

/* Every layer but seccomp; before any thread is made. */
int jail_enter(const struct jail_spec *s, uint32_t *ret_layers, struct err *e);
/* The list of permitted system calls; a call that is not on it is named on stderr and deadly.
 * After everything is open. Adds to *layers. */
int jail_filter(uint32_t *layers, struct err *e);
