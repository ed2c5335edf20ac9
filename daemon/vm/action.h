/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action.h - the deeds of schemas/lifecycle.def, one function an action name. Supervisor.
 */
#pragma once

#include "daemon/decide/lifecycle.h"

struct daemon;
struct vm;

/* The frozen worker of a VM has gone: what waited for that follows. */
void action_go_on(struct daemon *d, struct vm *v);
/* Its vCPUs shall stand: HELD comes, or DEADLINE. */
void action_hold(struct daemon *d, struct vm *v);
/* DEADLINE comes then, unless something else comes first. */
void action_set_deadline(struct daemon *d, struct vm *v, int64_t ms);
/* Do what the row says. The observed column has changed already; forget frees the VM. */
void action_run(const struct lifecycle_step *step, struct daemon *d, struct vm *v);
