/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h - the body of a request, by the field tables: resources.def says which members there are,
 * policy.def what each policy may be. Pure; every byte is the client's. qvm-api.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "schemas/message.h"
#include "schemas/op.h"
#include "schemas/policy.h"

enum {
	BODY_MAX = 1280 * 1024, /* bytes accepted: a full configuration, escaped */
	BODY_POINTER = 96,
};

/* BODY_PATCH: a JSON merge patch, RFC 7396. */
enum body_type { BODY_NONE, BODY_JSON, BODY_PATCH, BODY_TEXT, BODY_BYTES };

struct body {
	char *config; /* owned; NULL = none */
	size_t config_bytes;
	char folder[MESSAGE_PATH]; /* absolute, or "" */
	uint64_t policy_fields;	   /* bits of schemas/policy.h: which of `policy` are meant */
	struct policy policy;
	struct msg_token token;
	char pointer[BODY_POINTER]; /* of an ERR_INVALID: JSON pointer to the member, or "" */
};

/* The kind of a Content-Type value for an operation; NULL = the header is absent. ERR_MEDIA_TYPE
 * says what is accepted. */
int body_type(enum op_id op, const char *content_type, enum body_type *ret, struct err *e);
/* Parse and check. ERR_INVALID names the member, what is permitted, or the nearest name; *ret then
 * holds the pointer only. Operations with a `text` body take bytes as they are: not for this. */
int body_parse(enum op_id op, enum body_type type, const char *bytes, size_t n, struct body *ret,
	       struct err *e);
void body_free(struct body *b);
