/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/view/view.h"
#include "api/wait.h"

/* Columns of OPERATION_COLUMNS in statements.def. */
enum { ID, OP, VM, STATE, PHASE, REQUEST, UID, STARTED, ENDED, ERROR_ID, ERROR, ORIGIN };

static json_t *row_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_int(o, FIELD_operation_id, db_int(q, ID));
	object_text(o, FIELD_operation_op, db_text(q, OP));
	object_text(o, FIELD_operation_vm, db_text(q, VM));
	object_word(o, FIELD_operation_state, db_text(q, STATE));
	object_text(o, FIELD_operation_phase, db_text(q, PHASE));
	object_text(o, FIELD_operation_request, db_text(q, REQUEST));
	object_int(o, FIELD_operation_uid, db_int(q, UID));
	object_time(o, FIELD_operation_started, db_int(q, STARTED));
	object_time(o, FIELD_operation_ended, db_int(q, ENDED));
	if (*db_text(q, ERROR_ID))
		object_take(o, FIELD_operation_error,
			    problem_of_row(db_text(q, ERROR_ID), db_text(q, ERROR),
					   db_text(q, ORIGIN), db_text(q, REQUEST)));
	return o;
}

static int not_found(int64_t id, struct err *e)
{
	err_set(e, NOT_FOUND, "operation %" PRId64 " is not kept (any more)", id);
	return err_advise(e, "qvmadm operations shows those that are kept");
}

/* The parameter `wait` of a verb, whichever verb it is; 0 where it has none. */
static int64_t wait_of(const struct request *r)
{
	for (unsigned i = param_first(r->route.op);
	     i < PARAM_COUNT && param_table[i].op == r->route.op; i++)
		if (!strcmp(param_table[i].name, "wait"))
			return param_number(&r->params, (enum param)i);
	return 0;
}

int operation_answer_now(struct request *r, int64_t id, struct err *e)
{
	struct db *d = r->api->db;
	struct sqlite3_stmt *q = db_query(d, operation, DB_INT(id));
	int got = db_row(d, q, e), status = op_table[r->route.op].status;
	char location[48];

	if (got <= 0)
		return got < 0 ? -1 : not_found(id, e);
	if (!auth_may_see(r->grant.scope, db_text(q, VM))) {
		db_leave(q);
		return not_found(id, e);
	}
	if (wait_of(r) && strcmp(db_text(q, STATE), "running") != 0)
		status = 200;
	request_answer_json(r, status, row_object(q));
	db_leave(q);
	snprintf(location, sizeof location, "/v1/operations/%" PRId64, id);
	if (r->route.op != OP_operation_show)
		request_header(r, "Location", location);
	return 0;
}

int operation_is_running(struct db *d, int64_t id, bool *ret, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, operation_state, DB_INT(id));
	int got = db_row(d, q, e);

	if (got <= 0)
		return got < 0 ? -1 : not_found(id, e);
	*ret = !strcmp(db_text(q, 0), "running");
	db_leave(q);
	return 0;
}

int operation_answer(struct request *r, int64_t id, struct err *e)
{
	int64_t wait_ms = wait_of(r);
	bool is_running = false;

	if (wait_ms && operation_is_running(r->api->db, id, &is_running, e) < 0)
		return -1;
	if (is_running)
		return wait_begin(r, id, wait_ms, e);
	return operation_answer_now(r, id, e);
}

int view_operation_show(struct request *r, struct err *e)
{
	return operation_answer(r, r->route.id, e);
}

int view_operation_list(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	const char *vm = param_text(&r->params, PARAM_OF_operation_list_vm);
	int64_t limit = param_number(&r->params, PARAM_OF_operation_list_limit);
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	struct sqlite3_stmt *q =
		*vm ? db_query(d, operations_vm, DB_TEXT(vm), DB_INT(limit),
			       DB_TEXT(r->grant.scope))
		    : db_query(d, operations, DB_INT(limit), DB_TEXT(r->grant.scope));
	int got;

	while ((got = db_row(d, q, e)) > 0)
		object_append(list, row_object(q));
	if (got < 0)
		return -1;
	object_take(o, FIELD_operation_list_operations, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
