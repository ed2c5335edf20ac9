/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - how many requests were answered, how, and how long each took to its answer. qvm-api;
 * part of struct api. A stream counts until its first byte, a request with ?wait= for all its wait.
 */
#pragma once

#include <stdint.h>

#include "schemas/op.h"

enum { TALLY_BUCKETS = 12, TALLY_STATUS_FIRST = 400, TALLY_STATUSES = 200 };

/* Upper bounds of the buckets in microseconds; one more bucket has what is above. */
extern const uint32_t tally_bound_us[TALLY_BUCKETS];

struct tally_op {
	uint64_t n, sum_us;
	uint64_t bucket[TALLY_BUCKETS + 1]; /* each alone, not cumulative */
};

struct tally {
	struct tally_op op[OP_COUNT];
	uint64_t n_late, n_crowd;	       /* connections that lobby.c has ended */
	uint64_t n_over_identity, n_over_peer; /* requests that asker.c has refused */
	uint64_t n_over_answers;	       /* that debt.c has */
	uint64_t problem[TALLY_STATUSES];      /* by HTTP status from TALLY_STATUS_FIRST on */
};

/* An answer of that operation goes out, took_us after its request came in. */
void tally_answer(struct tally *t, enum op_id op, uint64_t took_us);
/* An answer with that HTTP status goes out; below 400 it is nothing. */
void tally_status(struct tally *t, int status);
