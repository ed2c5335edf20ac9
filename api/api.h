/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - qvm-api, the process: what its requests may reach. Owned by main.c; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "api/http/auth.h"
#include "api/http/debt.h"
#include "api/http/http.h"
#include "api/http/quota.h"
#include "api/http/tally.h"
#include "api/outlet.h"
#include "api/window.h"
#include "schemas/message.h"

struct attached;
struct boxes;
struct calls;
struct consoles;
struct db;
struct leases;
struct listing;
struct pages;
struct streams;
struct supervisor;
struct tls;
struct waits;
struct writers;

struct api {
	sd_event *loop;
	struct auth auth;
	struct outlet outlet;
	struct window window;
	struct tally tally;
	struct quota_rate rate;
	struct quotas *known, *strangers; /* with proof of who they are, and without */
	struct leases *leases;
	struct debts debts;
	struct db *db;
	struct listing *listing;
	struct boxes *boxes;
	struct supervisor *supervisor;
	struct http *http;
	struct tls *tls;	       /* NULL = the API is on the unix socket alone */
	http_certificate *certificate; /* of a handshake, from tls */
	struct calls *calls;
	struct waits *waits;
	struct streams *streams;
	struct consoles *consoles;
	struct attached *attached;
	struct writers *writers;
	struct msg_host_state host; /* as the supervisor told it last */
	uint32_t layers;	    /* SANDBOX_* of this process */
	uint64_t started_ms;
	unsigned n_downloads; /* under way */
	struct pages *pages;
	char *document; /* of openapi_print(), made once */
};
