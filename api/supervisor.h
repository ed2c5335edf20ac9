/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h - the link to qvmd: CALLs out; answers, news and black boxes in. qvm-api; owned by
 * main.c. When it closes there is nothing left to serve: the process ends in order.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "schemas/message.h"

struct api;
struct supervisor;

int supervisor_open(struct api *api, int take_link, struct supervisor **ret, struct err *e);
void supervisor_close(struct supervisor *s);
/* Tell that the API serves. */
int supervisor_ready(struct supervisor *s, struct err *e);
/* text: sealed memfd for CALL_TEXT, stays the caller's; -1 = CALL. ERR_UNAVAILABLE when the
 * supervisor does not read. */
int supervisor_call(struct supervisor *s, uint64_t request, const struct msg_call *c, int text,
		    struct err *e);
int supervisor_is_there(const struct supervisor *s);
