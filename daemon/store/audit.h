/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - who asked for what, and what became of it: a row of table audit for each CALL that may
 * change something, refused ones too. Supervisor. Rows are written with the ledger, in the
 * round of the loop that did the deed; what a client has to trust in (an operation, a revision, both
 * with uid and request) is committed before the deed, elsewhere.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/name.h"
#include "schemas/message.h"
#include "schemas/op.h"

struct store;

struct audit {
	int64_t at_ms; /* wall */
	enum op_id op;
	uint64_t request;
	struct msg_caller caller;
	char vm[NAME_CAP];
	int64_t operation, revision; /* 0 = none */
	struct err err;		     /* code ERR_OK: it was done */
};

int audit_write(struct store *s, const struct audit *a, struct err *e);
/* Keep the newest AUDIT_KEPT. */
int audit_prune(struct store *s, struct err *e);
