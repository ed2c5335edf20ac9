/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/token.h"

#include "api/api.h"
#include "api/http/request.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/view.h"

/* Columns of TOKEN_COLUMNS in statements.def. */
enum { NAME, KIND, ROLE, VMS, CREATED, EXPIRES, UID };

static json_t *row_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_text(o, FIELD_token_name, db_text(q, NAME));
	object_word(o, FIELD_token_kind, db_text(q, KIND));
	object_word(o, FIELD_token_role, db_text(q, ROLE));
	object_text(o, FIELD_token_vms, db_text(q, VMS));
	object_time(o, FIELD_token_created, db_int(q, CREATED));
	object_time(o, FIELD_token_expires, db_int(q, EXPIRES));
	object_int(o, FIELD_token_uid, db_int(q, UID));
	return o;
}

int token_answer(struct request *r, const char *secret, struct err *e)
{
	struct db *d = r->api->db;
	struct sqlite3_stmt *q = db_query(d, token, DB_TEXT(r->route.param));
	int got = db_row(d, q, e);
	json_t *o;

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(e, NOT_FOUND, "the token '%s' was deleted meanwhile",
					 r->route.param);
	o = row_object(q);
	db_leave(q);
	if (*secret)
		object_text(o, FIELD_token_secret, secret);
	request_answer_json(r, op_table[r->route.op].status, o);
	return 0;
}

int view_token_list(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	struct sqlite3_stmt *q = db_query(d, tokens);
	int got;

	while ((got = db_row(d, q, e)) > 0)
		object_append(list, row_object(q));
	if (got < 0)
		return -1;
	object_take(o, FIELD_token_list_tokens, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
