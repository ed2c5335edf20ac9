/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/tally.h"

const uint32_t tally_bound_us[TALLY_BUCKETS] = {100,   250,   500,    1000,    2500,	 5000,
						10000, 50000, 250000, 1000000, 10000000, 60000000};

void tally_answer(struct tally *t, enum op_id op, uint64_t took_us)
{
	struct tally_op *o = &t->op[op];
	unsigned i = 0;

	while (i < TALLY_BUCKETS && took_us > tally_bound_us[i])
		i++;
	o->bucket[i]++;
	o->n++;
	o->sum_us += took_us;
}

void tally_status(struct tally *t, int status)
{
	unsigned i = (unsigned)status - TALLY_STATUS_FIRST;

	if (status >= TALLY_STATUS_FIRST && i < TALLY_STATUSES)
		t->problem[i]++;
}
