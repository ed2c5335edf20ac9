/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/follower.h"

#include <stddef.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/request.h"
#include "base/str.h"

static void on_forget(struct request *r, void *arg)
{
	(void)r;
	follower_leave(arg);
}

static void on_end(void *arg, const struct err *why)
{
	struct follower *f = arg;

	f->is_over = true;
	str_copy(f->why, sizeof f->why, why->msg);
	request_resume(f->request);
}

void follower_join(struct follower *f, struct followers *all, struct request *r)
{
	f->request = r;
	f->api = r->api;
	LIST_INSERT_HEAD(all, f, link);
	http_held(r->api->http, 1);
	r->holder = (struct request_holder){on_forget, f};
	lease_take(&f->lease, r, on_end, f);
}

void follower_leave(struct follower *f)
{
	if (!f->request)
		return;
	lease_drop(&f->lease);
	f->request->holder = (struct request_holder){0};
	f->request = NULL;
	LIST_REMOVE(f, link);
	http_held(f->api->http, -1);
}

void followers_wake(struct followers *all)
{
	struct follower *f;

	LIST_FOREACH(f, all, link)
	request_resume(f->request);
}
