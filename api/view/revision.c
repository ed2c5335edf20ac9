/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/revision.h"

#include <inttypes.h>

#include "api/api.h"
#include "api/http/request.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/policy.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "base/auto.h"
#include "schemas/absent.h"

static int not_kept(struct db *d, int64_t vm, int64_t revision, struct err *e)
{
	enum { NAME, OLDEST, NEWEST };
	struct sqlite3_stmt *q = db_query(d, kept, DB_INT(vm));
	int got = db_row(d, q, e);

	if (got <= 0)
		return -1;
	absent_revision(db_text(q, NAME), revision, db_int(q, NEWEST), db_int(q, OLDEST), e);
	db_leave(q);
	return -1;
}

int revision_text(struct db *d, int64_t vm, int64_t revision, struct sqlite3_stmt **ret,
		  struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, config, DB_INT(vm), DB_INT(revision));
	int got = db_row(d, q, e);

	if (got == 0)
		return not_kept(d, vm, revision, e);
	*ret = q;
	return got < 0 ? -1 : 0;
}

/* Append "config" and "folder" where two revisions differ in them. */
static int add_texts(struct db *d, int64_t vm, int64_t from, int64_t to, json_t *list,
		     struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, same_text, DB_INT(vm), DB_INT(from), DB_INT(to));
	int got = db_row(d, q, e);

	if (got <= 0)
		return got;
	if (!db_int(q, 0))
		object_append(list, json_string("config"));
	if (!db_int(q, 1))
		object_append(list, json_string("folder"));
	db_leave(q);
	return 0;
}

int revision_pending(struct db *d, int64_t vm, int64_t running, int64_t newest, json_t *list,
		     struct err *e)
{
	struct policy start, p, now;

	if (policy_of(d, vm, running, &start, e) < 0 || policy_of(d, vm, newest, &p, e) < 0 ||
	    add_texts(d, vm, running, newest, list, e) < 0)
		return -1;
	now = policy_in_force(&start, &p);
	policy_add_names(list, policy_changes(&now, &p));
	return 0;
}

int view_vm_config(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	struct sqlite3_stmt *q = NULL;
	int64_t id = 0, revision = 0;

	if (vm_find(d, request_vm(r), &id, &revision, e) < 0)
		return -1;
	if (param_is_set(&r->params, PARAM_OF_vm_config_revision))
		revision = param_number(&r->params, PARAM_OF_vm_config_revision);
	if (revision_text(d, id, revision, &q, e) < 0)
		return -1;
	request_answer_bytes(r, 200, "text/plain; charset=utf-8", db_text(q, 0), db_bytes(q, 0));
	request_etag(r, revision);
	db_leave(q);
	return 0;
}

/* Columns of REVISION_COLUMNS in statements.def; those behind are of one alone. */
enum { REVISION, CREATED, UID, IDENTITY, OPERATION, RESTORES, CONFIG, FOLDER };

static json_t *revision_object(struct sqlite3_stmt *q, const struct policy *p)
{
	json_t *o = object_new();

	object_int(o, FIELD_revision_revision, db_int(q, REVISION));
	object_time(o, FIELD_revision_created, db_int(q, CREATED));
	object_int(o, FIELD_revision_uid, db_int(q, UID));
	object_text(o, FIELD_revision_identity, db_text(q, IDENTITY));
	object_text(o, FIELD_revision_op, db_text(q, OPERATION));
	object_int(o, FIELD_revision_restores, db_int(q, RESTORES));
	object_take(o, FIELD_revision_policy, policy_object(p));
	return o;
}

int view_revision_show(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	int64_t id = 0, newest, revision = r->route.revision;
	struct sqlite3_stmt *q;
	struct policy p;
	json_t *o;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	s.db = d;
	if (vm_find(d, request_vm(r), &id, &newest, e) < 0 || policy_of(d, id, revision, &p, e) < 0)
		return -1;
	q = db_query(d, revision, DB_INT(id), DB_INT(revision));
	got = db_row(d, q, e);
	if (got <= 0)
		return got < 0 ? -1 : not_kept(d, id, revision, e);
	o = revision_object(q, &p);
	object_bytes(o, FIELD_revision_config, db_text(q, CONFIG), db_bytes(q, CONFIG));
	object_text(o, FIELD_revision_folder, db_text(q, FOLDER));
	db_leave(q);
	request_answer_json(r, 200, o);
	return 0;
}

/* What an item of the list changed, now that the one before it is known. */
static int tell_changes(struct db *d, int64_t vm, json_t *newer, const struct policy *p,
			int64_t before, const struct policy *p_before, struct err *e)
{
	int64_t revision = json_integer_value(json_object_get(newer, "revision"));
	json_t *changes = object_list();

	if (add_texts(d, vm, before, revision, changes, e) < 0) {
		json_decref(changes);
		return -1;
	}
	policy_add_names(changes, policy_changes(p_before, p));
	object_take(newer, FIELD_revision_changes, changes);
	return 0;
}

/* Newest first, and one more than the limit: what the last one changed. */
static int add_revisions(struct db *d, int64_t vm, size_t limit, json_t *list, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, revisions, DB_INT(vm), DB_INT((int64_t)limit + 1));
	struct policy newer, p;
	json_t *last = NULL;
	int got, result = 0;

	while (result == 0 && (got = db_row(d, q, e)) > 0) {
		int64_t revision = db_int(q, REVISION);

		result = policy_of(d, vm, revision, &p, e);
		if (result == 0 && last &&
		    json_integer_value(json_object_get(last, "revision")) == revision + 1)
			result = tell_changes(d, vm, last, &newer, revision, &p, e);
		if (result < 0 || json_array_size(list) == limit)
			break;
		last = revision_object(q, &p);
		object_append(list, last);
		newer = p;
	}
	db_leave(q);
	return result < 0 || got < 0 ? -1 : 0;
}

int view_vm_revisions(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	int64_t id = 0, newest, limit = param_number(&r->params, PARAM_OF_vm_revisions_limit);

	if (db_begin(d, e) < 0)
		return -1;
	s.db = d;
	if (vm_find(d, request_vm(r), &id, &newest, e) < 0 ||
	    add_revisions(d, id, (size_t)limit, list, e) < 0)
		return -1;
	object_take(o, FIELD_revision_list_revisions, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
