/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/origin.h"

#include <string.h>
#include <strings.h>

#include "api/http/auth.h"
#include "api/http/visitor.h"

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

void origin_read(struct MHD_Connection *c, struct origin *ret)
{
	*ret = (struct origin){
		.host = header(c, "Host"),
		.origin = header(c, "Origin"),
		.site = header(c, "Sec-Fetch-Site"),
		.referer = header(c, "Referer"),
		.agent = header(c, "User-Agent"),
		.request_id = header(c, "Request-Id"),
		.has_token = header(c, "Authorization") != NULL,
		.is_local = !auth_is_remote(visitor_fd(c)),
	};
}

/* Names that nobody else's DNS can answer for: an address, localhost, a name without a dot. */
static bool is_own(const char *host)
{
	static const char local[] = ".localhost";
	size_t n = strcspn(host, ":"), n_local = sizeof local - 1;

	if (host[0] == '[' || !memchr(host, '.', n) || strspn(host, "0123456789.") == n)
		return true;
	return n > n_local && !strncasecmp(host + n - n_local, local, n_local);
}

int origin_check_host(const struct origin *o, struct err *e)
{
	if (!o->is_local || !o->host || is_own(o->host))
		return 0;
	return err_set(e, ORIGIN,
		       "Host is '%.64s', but this is a unix socket: by a name that others can make "
		       "mean this machine it answers nobody",
		       o->host);
}

static bool is_of_host(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return authority && host && !strcasecmp(authority + 3, host);
}

static bool is_of_browser(const struct origin *o)
{
	return o->origin || o->site || o->referer ||
	       (o->agent && !strncmp(o->agent, "Mozilla/", 8));
}

int origin_check(const struct origin *o, bool changes_something, struct err *e)
{
	if (origin_check_host(o, e) < 0)
		return -1;
	if (o->site && strcmp(o->site, "same-origin") != 0 && strcmp(o->site, "none") != 0)
		return err_set(e, ORIGIN,
			       "a page of another site ('%.64s', Sec-Fetch-Site '%.16s') has sent "
			       "this request",
			       o->origin ? o->origin : "it does not say which", o->site);
	/* Behind a proxy Origin has the name that the browser knows, and Host another. */
	if (!o->site && o->origin && !is_of_host(o->origin, o->host))
		return err_set(e, ORIGIN, "a page of '%.64s' has sent this request to '%.64s'",
			       o->origin, o->host ? o->host : "");
	if (changes_something && is_of_browser(o) && !o->has_token && !o->request_id)
		return err_set(e, ORIGIN,
			       "a browser has sent this request without the header Request-Id, as "
			       "a form of another site would");
	return 0;
}
