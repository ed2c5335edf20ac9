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

int revision_text(struct db *d, int64_t vm, int64_t revision, struct sqlite3_stmt **ret,
		  struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, config, DB_INT(vm), DB_INT(revision));
	int got = db_row(d, q, e);

	if (got == 0)
		return err_set(e, NOT_FOUND,
			       "revision %" PRId64 " is not kept, or never was; GET "
			       "/v1/vms/{vm}/revisions lists them",
			       revision);
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

static json_t *revision_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_int(o, FIELD_revision_revision, db_int(q, 0));
	object_time(o, FIELD_revision_created, db_int(q, 1));
	object_int(o, FIELD_revision_uid, db_int(q, 2));
	object_bytes(o, FIELD_revision_config, db_text(q, 3), db_bytes(q, 3));
	return o;
}

int view_vm_revisions(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	struct sqlite3_stmt *q;
	int64_t id = 0, newest;
	struct policy p;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	s.db = d;
	if (vm_find(d, request_vm(r), &id, &newest, e) < 0)
		return -1;
	q = db_query(d, revisions, DB_INT(id),
		     DB_INT(param_number(&r->params, PARAM_OF_vm_revisions_limit)));
	while ((got = db_row(d, q, e)) > 0) {
		json_t *item = revision_object(q);

		object_append(list, item);
		if (policy_of(d, id, db_int(q, 0), &p, e) < 0) {
			db_leave(q);
			return -1;
		}
		object_take(item, FIELD_revision_policy, policy_object(&p));
	}
	if (got < 0)
		return -1;
	object_take(o, FIELD_revision_list_revisions, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
