/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - one CALL of qvm-api, from its arrival to its ANSWER. Supervisor.
 *
 * Each CALL row of schemas/ops.def has its function call_<id>() in call.c or define.c, which takes
 * the call and answers it, now or later; a row without its function is a link error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "schemas/message.h"

struct daemon;

struct call {
	struct daemon *d;
	uint64_t request;
	uint64_t visit; /* of the API process that asked: an answer to an earlier one is dropped */
	struct msg_call m;
	bool is_sound; /* m has been checked */
	char *text;    /* the configuration, terminated; NULL = none came */
	size_t bytes;
	char asks[DIGEST_HEX]; /* what it asked for as it came: again.h; "" = it changes nothing */
};

/* Check what came (hostile until then) and run it. text_fd is borrowed, -1 = none. */
void call_run(struct daemon *d, uint64_t request, const struct msg_call *m, int text_fd);
/* Answer and free. */
void call_answer(struct call *take, const struct msg_answer *a);
void call_refuse(struct call *take, const struct err *e);
/* Nobody is to be answered any more. */
void call_drop(struct call *take);

#define OP_HANDLER_VIEW(id)
#define OP_HANDLER_CALL(id)						void call_##id(struct call *take);
#define OP(id, kind, method, path, role, in, out, status, cli, summary) OP_HANDLER_##kind(id)
#include "schemas/ops.def"
#undef OP
#undef OP_HANDLER_VIEW
#undef OP_HANDLER_CALL

/* The token is there; who asks again has not got its secret, and gets a new one. */
void call_token_again(struct call *take);
