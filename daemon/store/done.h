/* SPDX-License-Identifier: Apache-2.0 */
/*
 * done.h - a request that has changed something and makes no operation, so that the same request sent
 * again is not done again: a row of table done. Supervisor; the caller holds the transaction, that of
 * the change itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "schemas/message.h"
#include "schemas/op.h"

struct store;

struct done {
	enum op_id op;
	uint64_t request;
	const char *name; /* of the VM or token */
	struct msg_caller caller;
	char digest[DIGEST_HEX]; /* of all else that it asked for */
	int64_t revision;	 /* that it made; 0 = none */
	bool is_new;		 /* it made what it is about */
};

int done_insert(struct store *s, const struct done *x, struct err *e);
/* Has this request been done before? 1 with revision and is_new in *x; 0 when it is new; ERR_CONFLICT
 * when that id was another caller's, asked for something else or came with another text. */
int done_before(struct store *s, struct done *x, struct err *e);
int done_prune(struct store *s, struct err *e);
