/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/lease.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "api/api.h"
#include "api/http/auth.h"
#include "api/http/request.h"
#include "api/ticker.h"
#include "base/clock.h"
#include "base/str.h"

struct leases {
	struct api *api;
	LIST_HEAD(lease_list, lease) list;
	sd_event_source *timer;
};

static void end(struct lease *l, const struct err *why)
{
	lease_drop(l);
	l->on_end(l->arg, why);
}

/* What the store said last: many have the same token, which is looked at once. */
struct seen {
	char token[NAME_CAP]; /* "" = it was not asked yet */
	int64_t created_ms;
	int result;
	struct err e;
};

static int still(const struct lease *l, struct seen *last, struct err *e)
{
	if (l->certificate_ends_ms && l->certificate_ends_ms <= clock_wall_ms())
		return auth_has_expired(l->token, e);
	if (strcmp(l->token, last->token) != 0 || l->created_ms != last->created_ms) {
		str_copy(last->token, sizeof last->token, l->token);
		last->created_ms = l->created_ms;
		last->result = auth_still(l->all->api->db, l->token, l->created_ms, &last->e);
	}
	*e = last->e;
	return last->result;
}

static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct leases *all = arg;
	struct lease *l = LIST_FIRST(&all->list), *next;
	struct seen last = {0};
	struct err e;

	(void)s;
	(void)at_us;
	for (; l; l = next) {
		next = LIST_NEXT(l, link);
		/* A store that cannot be read ends nothing; it is asked again. */
		if (still(l, &last, &e) < 0 && e.code == ERR_IDENTITY)
			end(l, &e);
	}
	if (!LIST_EMPTY(&all->list))
		ticker_next(all->timer, LEASE_LOOK_MS);
	return 0;
}

struct leases *leases_new(struct api *api)
{
	struct leases *all = calloc(1, sizeof *all);

	if (!all)
		abort();
	all->api = api;
	LIST_INIT(&all->list);
	all->timer = ticker_new(api->loop, on_time, all);
	return all;
}

void leases_free(struct leases *all)
{
	if (!all)
		return;
	sd_event_source_disable_unref(all->timer);
	free(all);
}

void lease_take(struct lease *l, const struct request *r,
		void (*on_end)(void *arg, const struct err *why), void *arg)
{
	struct leases *all = r->api->leases;

	if (!r->caller.identity[0])
		return;
	*l = (struct lease){.all = all,
			    .created_ms = r->grant.created_ms,
			    .certificate_ends_ms = r->grant.certificate_ends_ms,
			    .on_end = on_end,
			    .arg = arg};
	str_copy(l->token, sizeof l->token, r->caller.identity);
	if (LIST_EMPTY(&all->list))
		ticker_next(all->timer, LEASE_LOOK_MS);
	LIST_INSERT_HEAD(&all->list, l, link);
}

void lease_drop(struct lease *l)
{
	if (!l->all)
		return;
	LIST_REMOVE(l, link);
	l->all = NULL;
}
