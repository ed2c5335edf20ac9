/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - a request on its way to the supervisor: CALL, findings, wants, ANSWER. qvm-api.
 * The list of calls under way is bounded; each has a deadline.
 *
 * What comes back is the supervisor's word, but findings and wants were written by a worker: they
 * are made safe before they are shown.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "schemas/message.h"

struct calls;
struct request;
struct supervisor;

enum {
	CALL_MOST = 256,
	CALL_PATIENCE_MS = 60 * 1000,
};

struct calls *calls_new(void);
/* Every request still held must have been answered: call_fail_all(). */
void calls_free(struct calls *c);

/* Parse the body, send, hold the request. 0: held or answered; -1: the error. */
int call_forward(struct request *r, struct err *e);
/* ERR_CONFLICT while a request of that id is under way. */
int call_is_new(struct calls *c, uint64_t request, struct err *e);
/* From the link; a request that has gone is passed over in silence. */
void call_finding(struct calls *c, uint64_t request, const struct diagnostic *d);
int call_want(struct calls *c, uint64_t request, const struct msg_want *w, struct err *e);
/* What the answer is about. */
void call_file(struct calls *c, uint64_t request, int take_fd);
void call_answer(struct calls *c, uint64_t request, const struct msg_answer *a);
/* The supervisor has gone. */
void call_fail_all(struct calls *c, const struct err *why);
