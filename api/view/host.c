/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - GET /v1/host, /healthz and /v1/openapi.json: this host, this process, this document. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/view/layers.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/supervisor.h"
#include "api/view/view.h"
#include "base/clock.h"

int view_host_show(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_JSON json_t *o = object_new(), *facts = object_new();
	struct sqlite3_stmt *q = db_query(d, host);
	const struct msg_host_state *h = &r->api->host;
	char why[sizeof h->what + sizeof h->mend + 4];
	int got;

	while ((got = db_row(d, q, e)) > 0)
		json_object_set_new(facts, db_text(q, 0),
				    object_string(db_text(q, 1), db_bytes(q, 1)));
	if (got < 0)
		return -1;
	object_text(o, FIELD_host_version, QVM_VERSION);
	object_word(o, FIELD_host_state, h->is_safe ? "safe" : "sound");
	snprintf(why, sizeof why, "%s; %s", h->what, h->mend);
	object_text(o, FIELD_host_why, h->is_safe ? why : "");
	object_time(o, FIELD_host_since, h->since_ms);
	object_take(o, FIELD_host_api, layers_make(r->api->layers));
	object_take(o, FIELD_host_facts, json_incref(facts));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}

static bool store_is_there(struct db *d)
{
	struct sqlite3_stmt *q = db_query(d, alive);
	struct err unused;
	int got = db_row(d, q, &unused);

	if (got > 0)
		db_leave(q);
	return got > 0;
}

int view_health(struct request *r, struct err *e)
{
	bool has_supervisor = supervisor_is_there(r->api->supervisor);
	bool has_store = store_is_there(r->api->db), is_well = has_supervisor && has_store;
	bool is_safe = r->api->host.is_safe;
	json_t *o = object_new();

	(void)e;
	object_word(o, FIELD_health_status,
		    !is_well  ? "unavailable"
		    : is_safe ? "host-safe"
			      : "ok");
	object_bool(o, FIELD_health_supervisor, has_supervisor);
	object_bool(o, FIELD_health_store, has_store);
	object_text(o, FIELD_health_host, is_safe ? r->api->host.what : "");
	object_text(o, FIELD_health_version, QVM_VERSION);
	object_int(o, FIELD_health_uptime_ms, (int64_t)(clock_mono_ms() - r->api->started_ms));
	request_answer_json(r, is_well && !is_safe ? 200 : 503, o);
	return 0;
}

int view_openapi(struct request *r, struct err *e)
{
	(void)e;
	request_answer_bytes(r, 200, "application/json", r->api->document,
			     strlen(r->api->document));
	return 0;
}
