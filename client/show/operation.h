/* SPDX-License-Identifier: Apache-2.0 */
/* operation.h - a verb that takes its time: asked for, waited for, told. qvmadm. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "client/command.h"

/* --wait SECONDS and --no-wait, for the class of such a verb. */
extern const struct command_option operation_options[];

/* Looks at what is under way while somebody waits for it. */
struct operation_watch {
	void (*look)(void *arg); /* NULL = nobody does */
	int64_t every_ms;
	void (*end)(void *arg); /* before it is told */
	void *arg;
	json_t **
		ret; /* the operation that is done, the caller's; NULL when it is not. May be NULL */
};

/* POST the verb on argument[0] and wait for its end. `past` tells it: "started"; `idle` what is said
 * when there was nothing to do, which the server's phase tells; NULL = nothing else. */
int operation_run(struct command_call *c, const char *past, const char *idle);
int operation_run_watched(struct command_call *c, const char *past, const char *idle,
			  const struct operation_watch *w);
/* Wait for the end of one that is under way, and tell it. deadline_ms: monotonic, 0 = none. The exit
 * status. */
int operation_await(struct command_call *c, const json_t *operation, int64_t deadline_ms);
/* The verb of the client for an id of ops.def: "define" of "vm_put"; where one verb has several, as those say it:
 * "token create". */
enum { OPERATION_VERB = 40 };
const char *operation_verb(const char *op, char ret[static OPERATION_VERB]);
