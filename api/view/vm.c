/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/vm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/view/boxes.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/policy.h"
#include "api/view/revision.h"
#include "api/http/request.h"
#include "api/view/view.h"
#include "base/auto.h"
#include "schemas/absent.h"
#include "schemas/lifecycle.h"

/* Columns of VM_COLUMNS in statements.def. */
enum {
	ID,
	NAME,
	REVISION,
	RUNNING_REVISION,
	DESIRED,
	OBSERVED,
	HEALTH,
	CAUSE,
	REASON,
	PID,
	GENERATION,
	RESTARTS,
	RESTART_AT,
	SINCE,
	CREATED,
	CGROUP,
	LIMITS,
	PROCESS,
	WORKER,
	GUEST,
	WHY,
	PAIR,
	STANDBY,
	PRIMARY_NAME,
	PRIMARY_PAIR,
};

/* "memory=cgroup cpu=none ..." */
static json_t *limits_object(const char *text)
{
	AUTO_FREE char *words = strdup(text);
	json_t *o = object_new();
	char *rest = words, *word, *equals;

	if (!words)
		abort();
	while ((word = strtok_r(rest, " ", &rest))) {
		equals = strchr(word, '=');
		if (!equals)
			continue;
		*equals = '\0';
		json_object_set_new(o, word, json_string(equals + 1));
	}
	return o;
}

static json_t *signals_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_word(o, FIELD_signals_process, db_text(q, PROCESS));
	object_word(o, FIELD_signals_worker, db_text(q, WORKER));
	object_word(o, FIELD_signals_guest, db_text(q, GUEST));
	object_text(o, FIELD_signals_why, db_text(q, WHY));
	return o;
}

static void put_pair(json_t *o, struct sqlite3_stmt *q)
{
	bool is_primary = *db_text(q, STANDBY) != '\0';
	bool is_standby = !is_primary && *db_text(q, PRIMARY_NAME);
	int pair = pair_from_id(db_text(q, is_standby ? PRIMARY_PAIR : PAIR));
	bool is_primarys = pair == PAIR_ACTIVE || pair == PAIR_RETURNING;

	object_word(o, FIELD_vm_role, is_primary ? "primary" : is_standby ? "standby" : "none");
	object_text(o, FIELD_vm_partner, db_text(q, is_primary ? STANDBY : PRIMARY_NAME));
	object_bool(o, FIELD_vm_active, is_standby != is_primarys);
}

static json_t *row_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_text(o, FIELD_vm_name, db_text(q, NAME));
	object_int(o, FIELD_vm_revision, db_int(q, REVISION));
	object_int(o, FIELD_vm_running_revision, db_int(q, RUNNING_REVISION));
	object_word(o, FIELD_vm_desired, db_text(q, DESIRED));
	object_word(o, FIELD_vm_observed, db_text(q, OBSERVED));
	object_word(o, FIELD_vm_health, db_text(q, HEALTH));
	object_take(o, FIELD_vm_signals, signals_object(q));
	object_word(o, FIELD_vm_cause, db_text(q, CAUSE));
	object_text(o, FIELD_vm_reason, db_text(q, REASON));
	object_int(o, FIELD_vm_pid, db_int(q, PID));
	object_int(o, FIELD_vm_generation, db_int(q, GENERATION));
	object_int(o, FIELD_vm_restarts, db_int(q, RESTARTS));
	object_time(o, FIELD_vm_restart_at, db_int(q, RESTART_AT));
	put_pair(o, q);
	object_time(o, FIELD_vm_since, db_int(q, SINCE));
	object_time(o, FIELD_vm_created, db_int(q, CREATED));
	object_take(o, FIELD_vm_limits, limits_object(db_text(q, LIMITS)));
	object_text(o, FIELD_vm_cgroup, db_text(q, CGROUP));
	return o;
}

/* What a VM shall be, and what of it waits for the next start. The row may be left before. */
static int put_policy(struct db *d, json_t *vm, int64_t id, struct err *e)
{
	int64_t newest = json_integer_value(json_object_get(vm, "revision"));
	int64_t running = json_integer_value(json_object_get(vm, "running_revision"));
	bool has_worker = json_integer_value(json_object_get(vm, "pid")) > 0;
	AUTO_JSON json_t *pending = object_list();
	struct policy p;

	if (policy_of(d, id, newest, &p, e) < 0)
		return -1;
	if (has_worker && running != newest &&
	    revision_pending(d, id, running, newest, pending, e) < 0)
		return -1;
	object_take(vm, FIELD_vm_policy, policy_object(&p));
	object_take(vm, FIELD_vm_pending, json_incref(pending));
	return 0;
}

int vm_of_row(struct db *d, struct sqlite3_stmt *q, json_t **ret, struct err *e)
{
	AUTO_JSON json_t *o = row_object(q);

	if (put_policy(d, o, db_int(q, ID), e) < 0)
		return -1;
	*ret = json_incref(o);
	return 0;
}

int vm_find(struct db *d, const char *name, int64_t *ret_id, int64_t *ret_revision, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, vm, DB_TEXT(name));
	int got = db_row(d, q, e);

	if (got <= 0)
		return got < 0 ? -1 : absent_vm(name, e);
	*ret_id = db_int(q, ID);
	*ret_revision = db_int(q, REVISION);
	db_leave(q);
	return 0;
}

bool vm_is_gone(struct db *d, const char *name)
{
	int64_t id, revision;
	struct err e;

	return vm_find(d, name, &id, &revision, &e) < 0 && e.code == ERR_NOT_FOUND;
}

int vm_box(struct request *r, const struct boxes_entry **ret, bool *ret_is_gone, struct err *e)
{
	const struct boxes_entry *entry = boxes_find(r->api->boxes, request_vm(r));
	struct sqlite3_stmt *q;
	int64_t id, revision;
	int got;

	if (vm_find(r->api->db, request_vm(r), &id, &revision, e) < 0)
		return -1;
	if (!entry)
		return err_set(e, CONFLICT,
			       "VM '%s' has no black box: it has not been started since its "
			       "supervisor was; start it first",
			       request_vm(r));
	/* The supervisor's word, not the box's: a killed worker could not write that it has ended. */
	q = db_query(r->api->db, worker, DB_TEXT(request_vm(r)));
	got = db_row(r->api->db, q, e);
	if (got < 0)
		return -1;
	*ret_is_gone = got == 0 || db_int(q, 0) == 0;
	*ret = entry;
	db_leave(q);
	return 0;
}

int vm_make(struct db *d, const char *name, json_t **ret, struct err *e)
{
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	AUTO_JSON json_t *o = NULL;
	struct sqlite3_stmt *q;
	int64_t id, revision;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	s.db = d;
	q = db_query(d, vm, DB_TEXT(name));
	got = db_row(d, q, e);
	if (got <= 0)
		return got < 0 ? -1 : absent_vm(name, e);
	o = row_object(q);
	id = db_int(q, ID);
	revision = db_int(q, REVISION);
	db_leave(q);
	if (put_policy(d, o, id, e) < 0 || revision_text(d, id, revision, &q, e) < 0)
		return -1;
	object_bytes(o, FIELD_vm_config, db_text(q, 0), db_bytes(q, 0));
	object_text(o, FIELD_vm_folder, db_text(q, 1));
	db_leave(q);
	*ret = json_incref(o);
	return 0;
}

int view_vm_show(struct request *r, struct err *e)
{
	json_t *o = NULL;
	int64_t revision;

	if (vm_make(r->api->db, request_vm(r), &o, e) < 0)
		return -1;
	revision = json_integer_value(json_object_get(o, "revision"));
	request_answer_json(r, 200, o);
	request_etag(r, revision);
	return 0;
}
