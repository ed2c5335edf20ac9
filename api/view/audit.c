/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - GET /v1/audit: who asked for what, and what became of it. */
#include "api/api.h"
#include "api/http/request.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/view.h"

/* Columns of AUDIT_COLUMNS in statements.def. */
enum { ID, AT, OP, VM, UID, PID, ROLE, IDENTITY, REQUEST, OPERATION, REVISION, ERROR_ID, ERROR };

static json_t *row_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_int(o, FIELD_audit_id, db_int(q, ID));
	object_time(o, FIELD_audit_at, db_int(q, AT));
	object_text(o, FIELD_audit_op, db_text(q, OP));
	object_text(o, FIELD_audit_vm, db_text(q, VM));
	object_int(o, FIELD_audit_uid, db_int(q, UID));
	object_int(o, FIELD_audit_pid, db_int(q, PID));
	object_text(o, FIELD_audit_role, db_text(q, ROLE));
	object_text(o, FIELD_audit_identity, db_text(q, IDENTITY));
	object_text(o, FIELD_audit_request, db_text(q, REQUEST));
	object_int(o, FIELD_audit_operation, db_int(q, OPERATION));
	object_int(o, FIELD_audit_revision, db_int(q, REVISION));
	if (*db_text(q, ERROR_ID))
		object_take(o, FIELD_audit_error,
			    problem_of_row(db_text(q, ERROR_ID), db_text(q, ERROR), "",
					   db_text(q, REQUEST)));
	return o;
}

int view_audit_list(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	const char *vm = param_text(&r->params, PARAM_OF_audit_list_vm);
	int64_t limit = param_number(&r->params, PARAM_OF_audit_list_limit), id = 0;
	int64_t before = param_number(&r->params, PARAM_OF_audit_list_before);
	struct sqlite3_stmt *q;
	int got;

	if (before < 0)
		before = INT64_MAX;
	q = *vm ? db_query(d, audit_vm, DB_INT(before), DB_INT(limit + 1), DB_TEXT(vm))
		: db_query(d, audit, DB_INT(before), DB_INT(limit + 1));
	while ((got = db_row(d, q, e)) > 0 && json_array_size(list) < (size_t)limit) {
		object_append(list, row_object(q));
		id = db_int(q, ID);
	}
	if (got < 0)
		return -1;
	object_take(o, FIELD_audit_list_entries, json_incref(list));
	if (got > 0) {
		object_int(o, FIELD_audit_list_next, id);
		db_leave(q);
	}
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
