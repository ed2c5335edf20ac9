/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/lease.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "api/api.h"
#include "api/http/auth.h"
#include "api/http/request.h"
#include "base/clock.h"
#include "base/str.h"

struct leases {
	struct api *api;
	LIST_HEAD(lease_list, lease) list;
	sd_event_source *timer;
};

static void set_timer(struct leases *all)
{
	sd_event_source_set_time(all->timer, (clock_mono_ms() + LEASE_LOOK_MS) * 1000);
	sd_event_source_set_enabled(all->timer, SD_EVENT_ONESHOT);
}

static void end(struct lease *l, const struct err *why)
{
	lease_drop(l);
	l->on_end(l->arg, why);
}

/* Many have the same token: it is looked at once. */
static int on_time(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct leases *all = arg;
	struct lease *l = LIST_FIRST(&all->list), *next;
	char token[NAME_CAP] = "";
	int64_t created_ms = 0;
	struct err e;
	int result = 0;

	(void)s;
	(void)at_us;
	for (; l; l = next) {
		next = LIST_NEXT(l, link);
		if (strcmp(l->token, token) != 0 || l->created_ms != created_ms) {
			str_copy(token, sizeof token, l->token);
			created_ms = l->created_ms;
			result = auth_still(all->api->db, token, created_ms, &e);
		}
		/* A store that cannot be read ends nothing; it is asked again. */
		if (result < 0 && e.code == ERR_IDENTITY)
			end(l, &e);
	}
	if (!LIST_EMPTY(&all->list))
		set_timer(all);
	return 0;
}

struct leases *leases_new(struct api *api)
{
	struct leases *all = calloc(1, sizeof *all);

	if (!all)
		abort();
	all->api = api;
	LIST_INIT(&all->list);
	if (sd_event_add_time(api->loop, &all->timer, CLOCK_MONOTONIC, 0, 1000, on_time, all) < 0 ||
	    sd_event_source_set_enabled(all->timer, SD_EVENT_OFF) < 0)
		abort();
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
	*l = (struct lease){
		.all = all, .created_ms = r->grant.created_ms, .on_end = on_end, .arg = arg};
	str_copy(l->token, sizeof l->token, r->caller.identity);
	if (LIST_EMPTY(&all->list))
		set_timer(all);
	LIST_INSERT_HEAD(&all->list, l, link);
}

void lease_drop(struct lease *l)
{
	if (!l->all)
		return;
	LIST_REMOVE(l, link);
	l->all = NULL;
}
