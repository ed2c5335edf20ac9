/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operation.h - long work that an API caller follows: a row of table operation. Supervisor.
 *
 * Which operations are under way is known to the table alone: several callers may wait for the same
 * start, and they outlive the supervisor. The caller holds the transaction.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"
#include "schemas/message.h"
#include "schemas/op.h"

struct store;

/* Who asked for what. */
struct operation {
	enum op_id op;
	uint64_t request;
	struct msg_caller caller;
};

enum { OPERATION_PHASE = 768 };

enum operation_state { OPERATION_RUNNING, OPERATION_DONE, OPERATION_FAILED };

/* What becomes of every running operation of one kind on one VM. */
struct operation_change {
	char vm[NAME_CAP];
	enum op_id op;
	enum operation_state state;
	char phase[OPERATION_PHASE]; /* "" = leave it */
	int64_t at_ms;		     /* wall */
	struct err err;		     /* of a failed one */
};

int operation_insert(struct store *s, const struct operation *o, const char *vm,
		     enum operation_state state, const char *phase, int64_t *ret_id, struct err *e);
/* A request that came before: 1 with the operation that it made, 0 when it is new; ERR_CONFLICT when
 * that id was another caller's or asked for something else. */
int operation_again(struct store *s, const struct operation *o, const char *vm, int64_t *ret_id,
		    struct err *e);
int operation_write(struct store *s, const struct operation_change *c, struct err *e);
bool operation_is_running(struct store *s, const char *vm, enum op_id op);
/* Call `each` for every VM of which a takeover, or the way back, is under way. */
int operation_changes(struct store *s, void (*each)(void *arg, const char *vm), void *arg,
		      struct err *e);
/* At the start: what was under way and nobody goes on with has failed; of takeovers pair_recover() judges. */
int operation_fail_lost(struct store *s, int64_t at_ms, struct err *e);
int operation_prune(struct store *s, struct err *e);
