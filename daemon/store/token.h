/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - who may come without a uid of this host: a row of table token. Supervisor; the caller
 * holds the transaction. The secret itself is nowhere: only its digest is kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/name.h"
#include "schemas/message.h"
#include "schemas/op.h"

struct store;

struct token {
	char name[NAME_CAP], vms[NAME_CAP];
	char hash[DIGEST_HEX];
	bool is_certificate;
	enum role role;
	int64_t created_ms, expires_ms;
	uint32_t uid;
};

/* A fresh secret for it, by chance; its digest goes into t->hash. */
void token_make_secret(struct token *t, char ret[static MESSAGE_SECRET]);
/* ERR_CONFLICT when there is one of that name. */
int token_insert(struct store *s, const struct token *t, struct err *e);
/* Another secret for it. ERR_CONFLICT when it is no more. */
int token_renew(struct store *s, const struct token *t, struct err *e);
/* ERR_NOT_FOUND */
int token_delete(struct store *s, const char *name, struct err *e);
