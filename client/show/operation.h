/* SPDX-License-Identifier: Apache-2.0 */
/* operation.h - a verb that takes its time: asked for, waited for, told. qvmadm. */
#pragma once

#include "client/command.h"

/* --wait SECONDS and --no-wait, for the class of such a verb. */
extern const struct command_option operation_options[];

/* POST the verb on argument[0] and wait for its end. `past` tells it: "started"; `idle` what is said
 * when there was nothing to do; NULL = nothing else. */
int operation_run(struct command_call *c, const char *past, const char *idle);
/* Wait for the end of one that is under way, and tell it. deadline_ms: monotonic, 0 = none. The exit
 * status. */
int operation_await(struct command_call *c, const json_t *operation, int64_t deadline_ms);
/* The verb that asked for it. */
const char *operation_verb(const json_t *operation);
