/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconcile.h - what a row means to a supervisor that has just started: from (row, policy, boot) to
 * a verdict. It decides and never acts. Supervisor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/record.h"

/* What is there of the worker that the row names. */
enum reconcile_worker {
	RECONCILE_GONE,
	RECONCILE_KEPT,	   /* it can be talked to, or has left its black box */
	RECONCILE_FOREIGN, /* its process lives, and no more is known */
};

enum reconcile_verdict {
	RECONCILE_LEAVE,
	RECONCILE_ADOPT,   /* go on with it, or leave it running */
	RECONCILE_LOST,	   /* it had a worker: write the incident, the policy follows */
	RECONCILE_START,   /* it ended with the last supervisor, or starts with this one */
	RECONCILE_UNREADY, /* a standby was held ready: end what is left of it */
	RECONCILE_AGAIN,   /* a restart by policy was due: at its time */
};

/* boot: the host's present one, as in the row. */
enum reconcile_verdict reconcile_row(const struct record *r, const struct policy *p,
				     enum reconcile_worker w, const char *boot);
