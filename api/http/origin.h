/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h - did a browser send this request on behalf of another site? qvm-api.
 *
 * Who reaches the unix socket, also through `ssh -L`, has rights by that alone, and so has who comes
 * with a client certificate: a browser would lend them to any page it shows. A page of another site is
 * told by Sec-Fetch-Site, by Origin in browsers that do not send that, and what changes something needs
 * a header that no form can set; a name that was made to mean this machine (DNS rebinding) is told by
 * Host. Programs send none of these headers and are not asked.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "base/err.h"

struct origin {
	const char *host, *origin, *site, *referer, *agent, *request_id; /* headers; NULL = none */
	bool has_token; /* no page of another site can send one */
	bool is_local;	/* over the unix socket */
};

void origin_read(struct MHD_Connection *c, struct origin *ret);
/* Pure. ERR_ORIGIN says why. */
int origin_check_host(const struct origin *o, struct err *e);
int origin_check(const struct origin *o, bool changes_something, struct err *e);
