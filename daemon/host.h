/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - what the supervisor finds out about this host at its start, for GET /v1/host and the
 * log: what is offered, what is enforced, what is weaker than it could be. Supervisor.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct daemon;

/* Write the facts to table host and log what is weaker. cgroup_why: why there is no own cgroup;
 * "" when there is one. */
int host_write(struct daemon *d, const char *cgroup_why, struct err *e);
/* Wall time of the host's boot. */
int64_t host_boot_ms(void);
