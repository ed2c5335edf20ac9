/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.h - the configuration of a supervised VM: CONFIG comes, the sandbox closes, then the text is
 * read; findings and INVALID go back, or the wants and PLAN. Worker; part of link.c.
 */
#pragma once

#include "base/err.h"
#include "schemas/message.h"

struct life;
struct wire_msg;

struct reading {
	struct life *life;
	struct msg_config config;
	unsigned n_reported;
};

/* 1 = planned: grants come next; 0 = what is wrong with it is told, *ret_fault has more if it has a
 * code; -1 = the dialogue or the sandbox is broken. */
int reading_take(struct reading *r, struct wire_msg *m, struct err *ret_fault, struct err *e);
