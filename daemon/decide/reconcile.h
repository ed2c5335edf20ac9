/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconcile.h - what a row means to a supervisor that has just started: from (row, policy, boot) to
 * a verdict. It decides and never acts. Supervisor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/record.h"

enum reconcile_verdict {
	RECONCILE_LEAVE,
	RECONCILE_LOST,	 /* it had a worker: fence it, write the incident, the policy follows */
	RECONCILE_START, /* it ended with the last supervisor, or starts with this one */
	RECONCILE_AGAIN, /* a restart by policy was due: at its time */
};

/* boot: the host's present one, as in the row. */
enum reconcile_verdict reconcile_row(const struct record *r, const struct policy *p,
				     const char *boot);
