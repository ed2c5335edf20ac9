/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - GET /v1/host, /healthz and /v1/openapi.json: this host, this process, this document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <sqlite3.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/view/layers.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/http/tls.h"
#include "api/supervisor.h"
#include "api/view/usage.h"
#include "api/view/view.h"
#include "base/auto.h"
#include "base/clock.h"

#define FEATURE_NEEDED true
#define FEATURE_USED   false
static const struct {
	const char *name, *what;
	bool is_needed;
} features[] = {
#define KVM(symbol, name, need, what) {name, what, FEATURE_##need},
#include "schemas/kvm.def"
#undef KVM
};

/* The facts whose keys begin so move out of `facts`, without that beginning. */
static json_t *part_of(json_t *facts, const char *prefix)
{
	size_t n = strlen(prefix);
	json_t *part = object_new(), *value;
	const char *key;
	void *next;

	json_object_foreach_safe(facts, next, key, value)
	{
		if (strncmp(key, prefix, n) != 0)
			continue;
		json_object_set(part, key + n, value);
		json_object_del(facts, key);
	}
	return part;
}

static int64_t number_of(const json_t *facts, const char *key)
{
	const char *text = json_string_value(json_object_get(facts, key));

	return text ? strtoll(text, NULL, 10) : 0;
}

static json_t *kvm_object(json_t *facts)
{
	AUTO_JSON json_t *kvm = part_of(facts, "kvm:");
	json_t *o = object_new(), *list = object_list();

	object_int(o, FIELD_host_kvm_version, number_of(kvm, "version"));
	object_int(o, FIELD_host_kvm_vcpus, number_of(kvm, "vcpus"));
	object_int(o, FIELD_host_kvm_vcpus_recommended, number_of(kvm, "vcpus-recommended"));
	object_int(o, FIELD_host_kvm_memslots, number_of(kvm, "memslots"));
	for (size_t i = 0; i < NELEMS(features); i++) {
		json_t *f = object_new();

		object_text(f, FIELD_kvm_feature_name, features[i].name);
		object_bool(f, FIELD_kvm_feature_offered, number_of(kvm, features[i].name) > 0);
		object_bool(f, FIELD_kvm_feature_needed, features[i].is_needed);
		object_text(f, FIELD_kvm_feature_what, features[i].what);
		object_append(list, f);
	}
	object_take(o, FIELD_host_kvm_features, list);
	object_take(o, FIELD_host_kvm_parameters, part_of(facts, "parameter:"));
	return o;
}

static json_t *store_object(const struct window *w)
{
	json_t *o = object_new();
	uint64_t free_bytes, total_bytes;

	window_room(w, &free_bytes, &total_bytes);
	object_int(o, FIELD_host_store_database_bytes, (int64_t)window_database(w));
	object_int(o, FIELD_host_store_free_bytes, (int64_t)free_bytes);
	object_int(o, FIELD_host_store_total_bytes, (int64_t)total_bytes);
	return o;
}

static json_t *programs_object(const json_t *facts)
{
	const struct {
		const char *name, *version;
	} program[] = {
		{"qvmd", json_string_value(json_object_get(facts, "version"))},
		{"qvm-api", QVM_VERSION},
		{"kernel", json_string_value(json_object_get(facts, "kernel"))},
		{"sqlite", sqlite3_libversion()},
		{"libmicrohttpd", MHD_get_version()},
		{"gnutls", gnutls_check_version(NULL)},
		{"jansson", JANSSON_VERSION},
	};
	json_t *o = object_new();

	for (size_t i = 0; i < NELEMS(program); i++)
		if (program[i].version)
			json_object_set_new(
				o, program[i].name,
				object_string(program[i].version, strlen(program[i].version)));
	return o;
}

int view_host_show(struct request *r, struct err *e)
{
	json_t *capacity;
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
	if (usage_capacity(r->api, &capacity, e) < 0)
		return -1;
	object_take(o, FIELD_host_capacity, capacity);
	object_take(o, FIELD_host_programs, programs_object(facts));
	object_take(o, FIELD_host_kvm, kvm_object(facts));
	object_take(o, FIELD_host_store, store_object(&r->api->window));
	object_take(o, FIELD_host_enforced, part_of(facts, "enforced:"));
	object_time(o, FIELD_host_certificate_until, tls_until_ms(r->api->tls));
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
	request_answer_static(r, "application/json", r->api->document, strlen(r->api->document));
	return 0;
}
