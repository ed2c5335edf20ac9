/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.h - which event is legal in which state, and where it leads. A lookup in
 * schemas/lifecycle.def; no side effects. Supervisor.
 */
#pragma once

#include "base/err.h"
#include "schemas/lifecycle.h"

struct lifecycle_step {
	enum observed from;
	enum vm_event event;
	enum observed to;
	unsigned row; /* of the table: daemon/vm/action.c has the deed under the same number */
};

/* The step, or NULL with ERR_CONFLICT, whose text lists what the state allows. */
const struct lifecycle_step *lifecycle_find(enum observed from, enum vm_event event, struct err *e);
