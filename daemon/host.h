/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - what the supervisor finds out about this host at its start, for GET /v1/host and the
 * log: what is offered, what is enforced, what is weaker than it could be. Supervisor.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct daemon;

enum { HOST_BOOT = 40 };

/* Write the facts to table host and log what is weaker. cgroup_why: why there is no own cgroup;
 * "" when there is one. */
int host_write(struct daemon *d, const char *cgroup_why, struct err *e);
/* One of them; in the caller's transaction. */
int host_fact(struct daemon *d, const char *key, const char *value, struct err *e);
/* Wall time of the host's boot, as the clock is now: for people. */
int64_t host_boot_ms(void);
/* The kernel's id of this boot, which no clock moves. */
int host_boot_id(char ret[static HOST_BOOT], struct err *e);
