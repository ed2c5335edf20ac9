/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typist.h - one who may type at the console of a VM, and what it has typed that the guest has not
 * taken yet. qvm-api; part of its WebSocket's viewer (attach.c).
 *
 * A message of the client goes to the supervisor in pieces, one at a time. Where the guest has no room
 * the rest waits, and its client with it; what was meant for one guest is not typed at the next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http/frame.h"
#include "api/writer.h"
#include "base/err.h"
#include "base/name.h"
#include "schemas/message.h"

struct api;
struct request;

struct typist {
	struct api *api;
	char vm[NAME_CAP], scope[NAME_CAP];
	struct msg_caller caller;
	struct writer self;
	uint64_t request;     /* on its way; 0 = none */
	uint64_t generation;  /* of the worker that it is for; 0 = it was not known yet */
	uint64_t held_ms;     /* since when the guest has no room for it; 0 = it has */
	uint64_t ask_ms;      /* when to try although it has none */
	size_t n, at, n_sent; /* n_sent: of those on their way */
	uint8_t bytes[FRAME_MESSAGE];
};

/* `t` is 0. session: of its WebSocket. */
void typist_begin(struct typist *t, const struct request *r, uint64_t session);

/* Each of these: 1 = some of it waits, 0 = nothing does any more, -1 = what waited is thrown away, or
 * was not taken, and `e` says why. */
int typist_type(struct typist *t, const uint8_t *bytes, size_t n, struct err *e);
/* The supervisor's, to its request. */
int typist_answer(struct typist *t, const struct msg_answer *answer, struct err *e);
/* Once more, of one that is_waiting: its guest may have room. */
int typist_again(struct typist *t, struct err *e);

/* May it, and does nobody else? */
int typist_take_right(struct typist *t, bool by_force, struct err *e);
void typist_leave(struct typist *t);
/* For room in its guest. */
bool typist_is_waiting(const struct typist *t);
/* For so long that who types should be told. */
bool typist_is_held(const struct typist *t);
