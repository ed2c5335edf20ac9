/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/quota.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { US = 1000000 }; /* of a second */

struct asker {
	char who[QUOTA_WHO];
	uint64_t full_us[QUOTA_KINDS]; /* monotonic: when each bucket is full */
};

struct quotas {
	struct quota_rate rate;
	unsigned n; /* places that were ever taken; those behind are empty */
	struct asker asker[QUOTA_MOST];
	struct asker rest; /* who found no place */
};

struct quotas *quotas_new(const struct quota_rate *rate)
{
	struct quotas *q = calloc(1, sizeof *q);

	if (!q)
		abort();
	q->rate = *rate;
	return q;
}

void quotas_free(struct quotas *q)
{
	free(q);
}

static bool is_full(const struct asker *a, uint64_t now_us)
{
	for (unsigned i = 0; i < QUOTA_KINDS; i++)
		if (a->full_us[i] > now_us)
			return false;
	return true;
}

static struct asker *find(struct quotas *q, const char *who, uint64_t now_us)
{
	struct asker *place = NULL;

	for (unsigned i = 0; i < q->n; i++) {
		if (!strcmp(q->asker[i].who, who))
			return &q->asker[i];
		if (!place && is_full(&q->asker[i], now_us))
			place = &q->asker[i];
	}
	if (!place && q->n < QUOTA_MOST)
		place = &q->asker[q->n++];
	if (!place)
		return &q->rest;
	*place = (struct asker){0};
	str_copy(place->who, sizeof place->who, who);
	return place;
}

uint32_t quotas_take(struct quotas *q, const char *who, enum quota_kind kind, uint64_t now_ms)
{
	uint64_t now_us = now_ms * 1000, each_us, most_us, lacks_us, over_us;
	char name[QUOTA_WHO];
	struct asker *a;

	if (q->rate.per_s == 0)
		return 0;
	str_copy(name, sizeof name, who);
	a = find(q, name, now_us);
	each_us = US / q->rate.per_s;
	most_us = each_us * q->rate.burst;
	lacks_us = a->full_us[kind] > now_us ? a->full_us[kind] - now_us : 0;
	if (lacks_us > most_us)
		lacks_us = most_us;
	over_us = lacks_us + each_us > most_us ? lacks_us + each_us - most_us : 0;
	a->full_us[kind] = now_us + lacks_us + (over_us ? 0 : each_us);
	return (uint32_t)((over_us + US - 1) / US);
}
